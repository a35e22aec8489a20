import type { Alert } from "../api/types";
import { Card, Tag } from "../components/base";
import * as format from "../lib/format";
import { tablesShown } from "../lib/keys";
import { exploreAddress } from "../lib/queryState";
import { Link } from "../lib/router";
import { useStore } from "../lib/store";
import { useSize } from "../lib/useSize";

type Season = NonNullable<Alert["evidence"]["season"]>;

const HEIGHT = 132;

/** Paths of a row of counts; a window that was not watched breaks the line. */
export function weekPath(counts: readonly (number | null)[], width: number, height: number, most: number): string {
  const step = counts.length > 1 ? width / (counts.length - 1) : 0;
  let path = "";
  let drawn = false;
  for (const [index, count] of counts.entries()) {
    if (count === null) {
      drawn = false;
      continue;
    }
    const y = height - (count / Math.max(1, most)) * height;
    path += `${drawn ? "L" : "M"}${Math.round(index * step * 10) / 10} ${Math.round(y * 10) / 10}`;
    drawn = true;
  }
  return path;
}

function ago(weeks: number): string {
  if (weeks === 0) return "this week";
  return weeks === 1 ? "a week ago" : `${weeks} weeks ago`;
}

/** The strongest window beside its like in earlier weeks: whether this hour of this weekday is always so. */
export function SeasonCard({ alert, season }: { alert: Alert; season: Season }) {
  const [ref, { width }] = useSize<HTMLDivElement>({ width: 480, height: HEIGHT });
  const asTable = useStore(tablesShown);
  const most = Math.max(1, ...season.weeks.flatMap((week) => week.counts.map((count) => count ?? 0)));
  const unwatched = season.weeks.filter((week) => week.weeks_ago > 0 && week.counts.every((count) => count === null)).length;
  const says = season.weeks
    .map((week) => `${ago(week.weeks_ago)} at most ${format.whole(Math.max(0, ...week.counts.map((count) => count ?? 0)))}`)
    .join(", ");
  return (
    <Card
      title="The same hours of earlier weeks"
      note={`posts per ${format.windowSpan(season.window_s)}${unwatched ? ` · ${unwatched} of them not watched` : ""}`}
    >
      {asTable ? (
        <SeasonTable season={season} />
      ) : (
        <div ref={ref} className="season" role="img" aria-label={`Same hours, same weekday: ${says}. Press t for a table.`}>
          <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`}>
            <line x1="0" x2={width} y1={HEIGHT - 1} y2={HEIGHT - 1} className="season-base" />
            {[...season.weeks].reverse().map((week) => (
              <path
                key={week.weeks_ago}
                d={weekPath(week.counts, width - 8, HEIGHT - 20, most)}
                transform="translate(4 18)"
                className={week.weeks_ago === 0 ? "season-now" : "season-past"}
                opacity={week.weeks_ago === 0 ? 1 : 1 - week.weeks_ago * 0.17}
              />
            ))}
            <text x="2" y="11">{format.count(most)}</text>
          </svg>
          <p className="season-key note">
            <span className="unusual">this week</span>
            {season.weeks.length > 1 && <span>earlier weeks, fainter the longer ago</span>}
          </p>
        </div>
      )}
      {season.days.length > 0 && (
        <div className="season-days">
          <h3>The same time of day</h3>
          <ul>
            {season.days.map((day) => (
              <li key={day.days_ago}>
                <Link
                  to={exploreAddress({
                    q: alert.query,
                    since: new Date(day.start).toISOString(),
                    until: new Date(Date.parse(day.start) + season.window_s * 1000).toISOString(),
                  })}
                  title={`${format.utc(day.start)}: expected ${format.expectation(day.expected)}`}
                >
                  <Tag>
                    {day.days_ago === 1 ? "yesterday" : `${day.days_ago} days ago`} {format.count(day.count)}
                  </Tag>
                </Link>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}

function SeasonTable({ season }: { season: Season }) {
  return (
    <div className="scroll-box" tabIndex={0} role="region" aria-label="The same hours of earlier weeks, as a table">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">window</th>
            {season.weeks.map((week) => (
              <th key={week.weeks_ago} scope="col" className="number">
                {ago(week.weeks_ago)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {(season.weeks[0]?.counts ?? []).map((_, index) => (
            <tr key={index}>
              <td>{format.clock(Date.parse(season.weeks[0]?.start ?? "") + index * season.window_s * 1000)}</td>
              {season.weeks.map((week) => (
                <td key={week.weeks_ago} className="number">
                  {format.whole(week.counts[index])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
