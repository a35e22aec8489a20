import { type ReactNode, useEffect, useRef } from "react";
import { announcement } from "../api/follow";
import { useAlerts, useStatus } from "../api/queries";
import { Link, usePath } from "../lib/router";
import { useStore } from "../lib/store";
import { chooseTheme, isDark, theme } from "../lib/theme";
import { BusBanner, BusLine } from "./Bus";
import { ConnectionBanner } from "./states";
import { overlay } from "./overlays";

interface Place {
  to: string;
  name: string;
  /** Paths that belong to it. */
  holds: RegExp;
  /** Not in the bar of a phone, which has room for five; the commands lead there. */
  wide?: boolean;
}

/** Only pages that exist. */
const PLACES: readonly Place[] = [
  { to: "/", name: "Live", holds: /^\/($|alerts|trackers)/ },
  { to: "/topics", name: "Topics", holds: /^\/topics/ },
  { to: "/posts", name: "Explore", holds: /^\/posts/ },
  { to: "/data", name: "Data", holds: /^\/data/ },
  { to: "/channels", name: "Channels", holds: /^\/channels/, wide: true },
];

function Swell() {
  return (
    <svg width="22" height="16" viewBox="0 0 22 16" aria-hidden="true">
      <path d="M1 12c3 0 3-3 6-3s3 4 7 4c3.5 0 3-9.5 7-9.5" className="swell" />
    </svg>
  );
}

function Places() {
  const path = usePath();
  const open = useAlerts().data?.open ?? 0;
  const failing = useStatus().data?.channels_failing ?? [];
  return (
    <ul>
      {PLACES.map(({ to, name, holds, wide }) => (
        <li key={to} className={wide ? "wide-only" : undefined}>
          <Link to={to} className="place" aria-current={holds.test(path) ? "page" : undefined}>
            {name}
            {name === "Channels" && failing.length > 0 && (
              <span className="place-count caution" title={`fails: ${failing.join(", ")}`}>
                {failing.length}
                <span className="hidden"> channels fail</span>
              </span>
            )}
            {name === "Live" && open > 0 && (
              <span className="place-count unusual" title={`${open} open alerts`}>
                {open}
                <span className="hidden"> open alerts</span>
              </span>
            )}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function ThemeToggle() {
  useStore(theme);
  const dark = isDark();
  return (
    <button type="button" className="quiet-button small" onClick={() => chooseTheme(dark ? "light" : "dark")}>
      {dark ? "Light" : "Dark"} theme
    </button>
  );
}

/** The frame of every page: navigation at the left, or at the bottom where it is narrow. */
export function Shell({ children }: { children: ReactNode }) {
  const path = usePath();
  const said = useStore(announcement);
  const first = useRef(path);
  useEffect(() => {
    // A new page begins at its beginning, for the keyboard too.
    if (path !== first.current) document.getElementById("main")?.focus({ preventScroll: true });
    first.current = path;
  }, [path]);
  return (
    <div className="shell">
      <a className="skip" href="#main">
        To the content
      </a>
      <header className="side">
        <Link to="/" className="brand">
          <Swell />
          <span>Groundswell</span>
        </Link>
        <nav aria-label="Pages">
          <Places />
        </nav>
        <div className="side-foot">
          <BusLine place="side" />
          <ThemeToggle />
          <p className="small">
            <button type="button" className="quiet-button" onClick={() => overlay.set("commands")}>
              Ctrl K commands
            </button>
            <span aria-hidden="true"> · </span>
            <button type="button" className="quiet-button" onClick={() => overlay.set("keys")}>
              ? keys
            </button>
          </p>
        </div>
        <button type="button" className="place place-more" onClick={() => overlay.set("commands")}>
          Commands
        </button>
      </header>
      <main id="main" tabIndex={-1} key={path}>
        <ConnectionBanner />
        <BusBanner />
        {children}
        <BusLine place="below" />
      </main>
      <p className="hidden" aria-live="polite">
        {said}
      </p>
    </div>
  );
}
