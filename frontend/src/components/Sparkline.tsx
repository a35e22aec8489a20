import { useId } from "react";
import type { Window } from "../api/types";
import * as format from "../lib/format";
import { tablesShown } from "../lib/keys";
import { useStore } from "../lib/store";
import { useSize } from "../lib/useSize";
import { type Plot, plotOf } from "./plot";

interface SparklineProps {
  /** What is drawn, for people who hear the page. */
  label: string;
  windows: readonly Window[];
  windowS: number;
  since: string;
  until: string;
}

const HEIGHT = 32;

/** One small multiple: the band is what is usual, the line what was counted; holes are hatched, the unusual is warm. */
export function Sparkline({ label, windows, windowS, since, until }: SparklineProps) {
  const [ref, { width }] = useSize<HTMLDivElement>({ width: 270, height: HEIGHT });
  const asTable = useStore(tablesShown);
  const last = windows.at(-1);
  const says = last ? `${label}: ${inWords(last)}` : `${label}: no window has closed yet`;
  if (asTable) {
    return (
      <div className="spark spark-words small muted" ref={ref}>
        {last ? inWords(last) : "no window yet"}
      </div>
    );
  }
  const plot = plotOf(windows, windowS, Date.parse(since), Date.parse(until), width, HEIGHT);
  return (
    <div className="spark" ref={ref}>
      <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={says}>
        <Marks plot={plot} height={HEIGHT} />
      </svg>
    </div>
  );
}

function Marks({ plot, height }: { plot: Plot; height: number }) {
  const hatch = useId();
  return (
    <>
      {plot.lines.length === 0 && <line x1="0" x2="100%" y1={height - 3} y2={height - 3} className="nothing" />}
      {plot.gaps.length > 0 && (
        <pattern id={hatch} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line x1="0" y1="0" x2="0" y2="5" className="hatch-line" />
        </pattern>
      )}
      {plot.gaps.map(([from, to]) => (
        <rect key={from} x={from} width={to - from} y="0" height={height} fill={`url(#${hatch})`} />
      ))}
      {plot.shades.map(([from, to]) => (
        <rect key={from} x={from} width={to - from} y="0" height={height} className="shade" />
      ))}
      {plot.bands.map((path) => (
        <path key={path} d={path} className="band" />
      ))}
      {plot.lines.map((path) => (
        <path key={path} d={path} className="line" />
      ))}
      {plot.hot.map((path) => (
        <path key={path} d={path} className="line line-hot" />
      ))}
      {plot.end && <circle cx={plot.end.x} cy={plot.end.y} r="2.5" className={plot.end.hot ? "dot dot-hot" : "dot"} />}
    </>
  );
}

/** A window as a phrase: `31 posts, usual 24–55`. */
export function inWords(window: Window): string {
  if (window.state === "gap") return "no data in the last window";
  const counted = `${format.whole(window.count)} ${window.count === 1 ? "post" : "posts"}`;
  if (window.lower === null || window.upper === null) return `${counted}, still learning what is usual`;
  return `${counted}, usual ${format.expectation(window.lower)}–${format.expectation(window.upper)}`;
}
