import type { Alert } from "../api/types";
import { Card } from "../components/base";
import * as format from "../lib/format";

type Histogram = NonNullable<Alert["evidence"]["accounts"]>[number];
type Newcomers = NonNullable<Alert["evidence"]["newcomers"]>;

function edge(value: number, unit: Histogram["unit"]): string {
  if (unit === "followers") return format.count(value);
  if (value >= 365) return `${Math.round(value / 365)} y`;
  return value >= 30 ? `${Math.round(value / 30)} mo` : `${format.whole(value)} d`;
}

function barName(low: number | null, high: number | null, unit: Histogram["unit"]): string {
  if (low === null || low === 0) return high === null ? "all" : `under ${edge(high, unit)}`;
  return high === null ? `${edge(low, unit)} and more` : `${edge(low, unit)}–${edge(high, unit)}`;
}

function newcomersInWords(newcomers: Newcomers): string {
  const { authors, known, posts_of_new: share } = newcomers;
  if (newcomers.usual_posts === 0) return `${format.counted(authors, "authors")}; nothing earlier to compare them with.`;
  const posts = share === null ? "" : ` They wrote ${format.percent(share)} of its posts.`;
  return `${format.whole(known)} of ${format.counted(authors, "authors")} had been seen by this tracker before; ${format.whole(newcomers.new)} are new.${posts}`;
}

/** Who is behind it: known and new authors, how old their accounts are and how many follow them. */
export function People({ alert }: { alert: Alert }) {
  const { newcomers, accounts = [] } = alert.evidence;
  const shown = accounts.filter((histogram) => histogram.known > 0);
  if (!newcomers && shown.length === 0) return null;
  return (
    <Card title="Who is behind it" note={newcomers ? `n = ${format.counted(newcomers.authors, "authors")}` : undefined}>
      {newcomers && <p className="people-lead">{newcomersInWords(newcomers)}</p>}
      <div className="people">
        {shown.map((histogram) => (
          <Bars key={histogram.name} histogram={histogram} />
        ))}
      </div>
    </Card>
  );
}

function Bars({ histogram }: { histogram: Histogram }) {
  const most = Math.max(1, ...histogram.bars.map((bar) => bar.count));
  const median = histogram.median === null ? "" : ` · median ${edge(histogram.median, histogram.unit)}`;
  const unknown = histogram.unknown > 0 ? `, not known of ${format.whole(histogram.unknown)}` : "";
  return (
    <div>
      <h3>{histogram.label}</h3>
      <ul className="histogram">
        {histogram.bars.map((bar) => (
          <li key={`${bar.low} ${bar.high}`}>
            <span className="small muted">{barName(bar.low, bar.high, histogram.unit)}</span>
            <span className="bar-track" aria-hidden="true">
              <span className="bar-fill" style={{ width: `${(bar.count / most) * 100}%` }} />
            </span>
            <span className="number small">{format.whole(bar.count)}</span>
          </li>
        ))}
      </ul>
      <p className="note">
        n = {format.whole(histogram.known)}
        {unknown}
        {median}
      </p>
    </div>
  );
}
