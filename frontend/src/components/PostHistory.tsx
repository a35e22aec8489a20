import { useHistory } from "../api/queries";
import type { History } from "../api/types";
import * as format from "../lib/format";
import { Time } from "./base";

const COUNTERS = ["views", "likes", "comments", "shares", "saves"] as const;
type Counter = (typeof COUNTERS)[number];

/** Counters that were ever known. */
function known(history: History): Counter[] {
  return COUNTERS.filter((name) => history.observations.some((seen) => seen[name] !== null));
}

/** How the counters stood a day after the post, and how fast that was. */
function summary(history: History): string {
  const day = known(history).flatMap((name) => {
    const value = history.at_24h[name];
    return value === null || value === undefined ? [] : [`${format.count(Math.round(value))} ${name}`];
  });
  const half = history.half_life_h["views"] ?? null;
  return [
    `Seen ${format.whole(history.observations.length)} times`,
    day.length ? `at 24 h ${day.join(", ")}` : null,
    half === null ? null : `half of its views after ${format.duration(half * 3600)}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Every observation of a post that was seen more than once. */
export function PostHistory({ platform, id }: { platform: string; id: string }) {
  const history = useHistory(platform, id).data;
  if (!history || history.observations.length < 2) return null;
  const shown = known(history);
  return (
    <div className="history">
      <p className="small strong">{summary(history)}</p>
      <table className="table small">
        <thead>
          <tr>
            <th scope="col">seen</th>
            {shown.map((name) => (
              <th key={name} scope="col" className="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {history.observations.map((seen) => (
            <tr key={seen.ingest_seq}>
              <td>
                <Time at={seen.observed_at ?? seen.imported_at} />
              </td>
              {shown.map((name) => (
                <td key={name} className="number" title={growth(seen.velocity[name])}>
                  {format.whole(seen[name])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {history.definitions.map((one) => (
        <p key={`${one.metric} ${one.since}`} className="note">
          Since {one.since} {one.metric} of {one.platform} means: {one.meaning} (before: {one.before}; {one.source}).
        </p>
      ))}
    </div>
  );
}

function growth(perHour: number | null | undefined): string {
  return perHour === null || perHour === undefined ? "growth not known" : `${format.rate(perHour)} per hour`;
}
