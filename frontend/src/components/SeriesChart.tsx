import type { Window } from "../api/types";
import * as format from "../lib/format";
import { tablesShown } from "../lib/keys";
import type { DrawnWindow } from "../lib/line";
import { useStore } from "../lib/store";
import { Empty, Tag, Time } from "./base";
import { inWords } from "./Sparkline";
import { type Mark, TimeChart } from "./TimeChart";

export interface SeriesChartProps {
  /** What the line is, for people who hear the page. */
  label: string;
  windows: readonly DrawnWindow[];
  windowS: number;
  /** What is counted. */
  unit?: string;
  /** Moments worth a dotted line: where the alert was raised. */
  marks?: readonly Mark[];
  /** The stream's present, so that times are as short as they can be. */
  now?: format.Moment;
  /** Somebody chose a window: show its posts. */
  onOpen?: (window: DrawnWindow) => void;
}

/** Counts per window with the band of what is usual, hatched holes and warm alerts; `t` shows the same as a table. */
export function SeriesChart(props: SeriesChartProps) {
  const asTable = useStore(tablesShown);
  const { windows, label, unit = "posts" } = props;
  if (windows.length === 0) return <Empty title="No window has closed yet">The first one closes when its time is over.</Empty>;
  if (asTable) return <SeriesTable {...props} />;
  const last = windows.at(-1);
  return (
    <figure className="chart" role="img" aria-label={`${label}. Latest: ${last ? inWords(last, unit) : "none"}. Press t for a table.`}>
      <TimeChart {...props} />
    </figure>
  );
}

const STATES: Record<Window["state"], string> = {
  learning: "learning",
  usual: "usual",
  unusual: "unusual",
  macro: "rises with the platform",
  gap: "no data",
};

function SeriesTable({ label, windows, now, onOpen, unit = "posts" }: SeriesChartProps) {
  const newestFirst = [...windows].reverse();
  return (
    <div className="scroll-box" tabIndex={0} role="region" aria-label={`${label}, as a table`}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">window from</th>
            <th scope="col" className="number">
              {unit}
            </th>
            <th scope="col" className="number">
              expected
            </th>
            <th scope="col" className="number">
              usual
            </th>
            <th scope="col">state</th>
          </tr>
        </thead>
        <tbody>
          {newestFirst.map((window) => (
            <tr key={window.start}>
              <td>
                {onOpen ? (
                  <button type="button" className="link-button" onClick={() => onOpen(window)}>
                    <Time at={window.counted?.start ?? window.start} {...(now === undefined ? {} : { now })} />
                  </button>
                ) : (
                  <Time at={window.counted?.start ?? window.start} {...(now === undefined ? {} : { now })} />
                )}
              </td>
              <td className="number">{window.state === "gap" ? format.MISSING : format.whole(window.count)}</td>
              <td className="number">{format.expectation(window.expected)}</td>
              <td className="number">
                {window.lower === null ? format.MISSING : `${format.expectation(window.lower)}–${format.expectation(window.upper)}`}
              </td>
              <td>
                <Tag tone={window.state === "unusual" ? "unusual" : "quiet"}>{STATES[window.state]}</Tag>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
