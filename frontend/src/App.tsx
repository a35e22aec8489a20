import { useQueryClient } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useMemo } from "react";
import { useLive } from "./api/follow";
import { KEYS } from "./api/queries";
import type { Status } from "./api/types";
import { ButtonLink, Empty, Loading } from "./components/base";
import { CommandPalette } from "./components/CommandPalette";
import { KeyHelp } from "./components/KeyHelp";
import { closeOverlay, overlay } from "./components/overlays";
import { Shell } from "./components/Shell";
import { askForFiles } from "./lib/files";
import { type KeyActions, moveRow, tablesShown, useKeys } from "./lib/keys";
import { match, navigate, usePath } from "./lib/router";
import { useStore } from "./lib/store";
import { chosenSize, nextSize } from "./lib/windowSize";
import { NEW_TRACKER } from "./lib/places";
import { Live } from "./pages/Live";

// Each page comes when it is opened; only Live is there from the start.
const AlertPage = lazy(() => import("./pages/AlertPage"));
const Channels = lazy(() => import("./pages/Channels"));
const Data = lazy(() => import("./pages/Data"));
const Design = lazy(() => import("./pages/Design"));
const Explore = lazy(() => import("./pages/Explore"));
const TopicPage = lazy(() => import("./pages/TopicPage"));
const Topics = lazy(() => import("./pages/Topics"));
const TrackerEditor = lazy(() => import("./pages/TrackerEditor"));
const TrackerPage = lazy(() => import("./pages/TrackerPage"));

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

type Route = [pattern: string, page: (parameters: Record<string, string>) => ReactNode];

/** The first pattern that fits wins. */
const ROUTES: readonly Route[] = [
  ["/", () => <Live />],
  ["/posts", () => <Explore />],
  ["/topics", () => <Topics />],
  ["/topics/:id", ({ id = "" }) => <TopicPage id={id} />],
  ["/alerts/:id", ({ id = "" }) => <AlertPage id={id} />],
  [NEW_TRACKER, () => <TrackerEditor />],
  ["/trackers/:id", ({ id = "" }) => <TrackerPage id={id} />],
  ["/trackers/:id/edit", ({ id = "" }) => <TrackerEditor id={id} />],
  ["/channels", () => <Channels />],
  ["/data", () => <Data />],
  ["/design", () => <Design />],
];

function Page() {
  const path = usePath();
  for (const [pattern, page] of ROUTES) {
    const found = match(pattern, path);
    if (found) return <Suspense fallback={<Loading rows={8} />}>{page(found)}</Suspense>;
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
  const client = useQueryClient();
  const shown = useStore(overlay);
  const actions = useMemo<KeyActions>(
    () => ({
      "g l": () => navigate("/"),
      "g e": () => navigate("/posts"),
      "g t": () => navigate("/topics"),
      "g c": () => navigate("/channels"),
      "g d": () => navigate("/data"),
      j: () => moveRow(1),
      k: () => moveRow(-1),
      t: () => tablesShown.set(!tablesShown.get()),
      w: () => chosenSize.set(nextSize(client.getQueryData<Status>(KEYS.status), chosenSize.get())),
      n: () => navigate(NEW_TRACKER),
      u: () => askForFiles(),
      "/": toSearch,
      "?": () => overlay.set("keys"),
      "mod k": () => (overlay.get() === "commands" ? closeOverlay() : overlay.set("commands")),
    }),
    [client],
  );
  useKeys(actions);
  return (
    <>
      <Shell>
        <Page />
      </Shell>
      {shown === "commands" && <CommandPalette />}
      {shown === "keys" && <KeyHelp />}
    </>
  );
}
