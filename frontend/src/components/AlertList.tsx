import type { AlertSummary } from "../api/types";
import * as format from "../lib/format";
import { Link } from "../lib/router";
import { Time } from "./base";

/** Verdicts as people say them. */
export const VERDICTS = { real: "Real", false: "False alarm", known: "Known event" } as const;

const PHASES: Record<AlertSummary["phase"], string> = {
  growing: "still growing",
  peak: "at its peak",
  fading: "fading",
  closed: "over",
};

/** How far an alert is from the usual, in a few words: `6.3× expected, still growing`. */
export function strength(alert: AlertSummary): string {
  const times = alert.ratio === null ? `${format.count(alert.observed)} posts, none expected` : format.ratio(alert.ratio);
  const what = alert.direction === "drop" ? `drop to ${times}` : alert.ratio === null ? times : `${times} expected`;
  return `${what}, ${PHASES[alert.phase]}`;
}

function base(alert: AlertSummary): string {
  const parts = [alert.detail || `${format.counted(alert.posts, "posts")} · ${format.counted(alert.authors, "authors")}`];
  if (alert.verdict) parts.push(VERDICTS[alert.verdict].toLowerCase());
  return parts.join(" · ");
}

interface AlertListProps {
  alerts: readonly AlertSummary[];
  now: format.Moment;
}

/** Alerts, newest first; those that are over step back. */
export function AlertList({ alerts, now }: AlertListProps) {
  return (
    <ul className="rows">
      {alerts.map((alert) => (
        <li key={alert.id} className="row">
          <Link to={`/alerts/${alert.id}`} className={`alert ${alert.closed_at ? "alert-over" : ""}`} data-row>
            <span className="alert-name strong">{alert.tracker_name}</span>
            <span className="alert-time small muted">
              <Time at={alert.opened_at} now={now} />
            </span>
            <span className={alert.closed_at ? "" : "unusual"}>{strength(alert)}</span>
            <span className="small muted" title={format.rarity(alert.return_days)}>
              {base(alert)}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
