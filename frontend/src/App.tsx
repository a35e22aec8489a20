import { lazy, Suspense, useMemo } from "react";
import { useLive } from "./api/follow";
import { ButtonLink, Empty, Loading } from "./components/base";
import { CommandPalette } from "./components/CommandPalette";
import { KeyHelp } from "./components/KeyHelp";
import { NewTracker } from "./components/NewTracker";
import { closeOverlay, overlay } from "./components/overlays";
import { Shell } from "./components/Shell";
import { askForFiles } from "./lib/files";
import { type KeyActions, moveRow, tablesShown, useKeys } from "./lib/keys";
import { match, navigate, usePath } from "./lib/router";
import { useStore } from "./lib/store";
import { AlertPage } from "./pages/AlertPage";
import { Explore } from "./pages/Explore";
import { Live } from "./pages/Live";
import { TrackerPage } from "./pages/TrackerPage";

const Data = lazy(() => import("./pages/Data"));
const Design = lazy(() => import("./pages/Design"));

function NotFound() {
  return (
    <>
      <h1>No such page</h1>
      <Empty title="The address leads nowhere.">
        <ButtonLink to="/">To Live</ButtonLink>
      </Empty>
    </>
  );
}

function Page() {
  const path = usePath();
  if (match("/", path)) return <Live />;
  if (match("/posts", path)) return <Explore />;
  const alert = match("/alerts/:id", path)?.id;
  if (alert) return <AlertPage id={alert} />;
  const tracker = match("/trackers/:id", path)?.id;
  if (tracker) return <TrackerPage id={tracker} />;
  if (match("/data", path)) {
    return (
      <Suspense fallback={<Loading rows={8} />}>
        <Data />
      </Suspense>
    );
  }
  if (match("/design", path)) {
    return (
      <Suspense fallback={<Loading rows={8} />}>
        <Design />
      </Suspense>
    );
  }
  return <NotFound />;
}

function toSearch(): void {
  const box = document.getElementById("query");
  if (box) box.focus();
  else {
    navigate("/posts");
    requestAnimationFrame(() => document.getElementById("query")?.focus());
  }
}

export function App() {
  useLive();
  const shown = useStore(overlay);
  const actions = useMemo<KeyActions>(
    () => ({
      "g l": () => navigate("/"),
      "g e": () => navigate("/posts"),
      "g d": () => navigate("/data"),
      j: () => moveRow(1),
      k: () => moveRow(-1),
      t: () => tablesShown.set(!tablesShown.get()),
      n: () => overlay.set("tracker"),
      u: () => askForFiles(),
      "/": toSearch,
      "?": () => overlay.set("keys"),
      "mod k": () => (overlay.get() === "commands" ? closeOverlay() : overlay.set("commands")),
    }),
    [],
  );
  useKeys(actions);
  return (
    <>
      <Shell>
        <Page />
      </Shell>
      {shown === "commands" && <CommandPalette />}
      {shown === "keys" && <KeyHelp />}
      {shown === "tracker" && <NewTracker />}
    </>
  );
}
