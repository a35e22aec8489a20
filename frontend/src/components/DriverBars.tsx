import * as format from "../lib/format";
import { Link } from "../lib/router";

export interface Bar {
  key: string;
  label: string;
  /** Fraction of the whole that the bar is of. */
  share: number;
  /** Shown on hover: posts, usual share. */
  base: string;
  /** Where the posts behind it are. */
  to?: string;
}

/** Labelled bars on one scale: the length is the share, the number stands at the right. */
export function DriverBars({ title, bars }: { title: string; bars: readonly Bar[] }) {
  if (bars.length === 0) return null;
  return (
    <div className="drivers">
      <h3>{title}</h3>
      <ul>
        {bars.map((bar) => (
          <li key={bar.key}>
            <BarRow bar={bar} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function BarRow({ bar }: { bar: Bar }) {
  const width = `${Math.min(1, Math.max(0, bar.share)) * 100}%`;
  const content = (
    <>
      <span className="bar-track">
        <span className="bar-fill" style={{ width }} />
        <span className="bar-label one-line">{bar.label}</span>
      </span>
      <span className="bar-share number muted">{format.percent(bar.share)}</span>
    </>
  );
  const title = `${bar.label}: ${bar.base}`;
  return bar.to ? (
    <Link to={bar.to} className="bar" title={title} data-row>
      {content}
    </Link>
  ) : (
    <span className="bar" title={title}>
      {content}
    </span>
  );
}
