import { useMemo, useState } from "react";
import type { Inflow, Slot, Source, Sources } from "../api/types";
import { Card, Loading, Tag, Time } from "../components/base";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { tablesShown } from "../lib/keys";
import { useStore } from "../lib/store";
import { missingIn, slotsBySource, sumOf, together } from "./columns";
import { SourceBars, TotalBars } from "./InflowChart";
import { type Span, SPANS, useInflow } from "./queries";

/** What people call a source. */
export function sourceName(source: { name: string; kind: Source["kind"] }): string {
  return source.kind === "files" ? "Files" : source.name;
}

/** Of what was received, the fraction that could not be read; null where nothing was received. */
export function unreadShare(counts: Source["total"]): number | null {
  return counts.received ? counts.rejected / counts.received : null;
}

interface Pointed {
  source: string | null;
  index: number;
}

/** The stretch that is pointed at, in words. */
function Readout({ slot, name, missing, step }: { slot: Slot; name: string; missing: string[]; step: number }) {
  const { stored, known, rejected, ignored, received } = slot.counts;
  const parts = [
    received ? `${format.whole(stored)} stored` : null,
    known ? `${format.whole(known)} known` : null,
    rejected ? `${format.whole(rejected)} not read` : null,
    ignored ? `${format.whole(ignored)} ignored` : null,
    slot.state === "quiet" ? "nothing came" : null,
    slot.state === "before" ? "not heard of yet" : null,
    slot.state === "gap" ? gapWords(slot, missing) : null,
  ].filter(Boolean);
  return (
    <>
      <span className="strong">{name}</span> {format.stretch(slot.start, step)} · {parts.join(" · ")}
    </>
  );
}

function gapWords(slot: Slot, missing: string[]): string {
  if (slot.connected !== null && slot.connected > 0) return `connected ${format.percent(slot.connected)} of the time`;
  return missing.length ? `${missing.join(", ")} not connected` : "not connected";
}

function Spans({ span, choose }: { span: Span; choose: (span: Span) => void }) {
  return (
    <div className="spans" role="group" aria-label="Time shown">
      {SPANS.map((each) => (
        <button key={each.hours} type="button" className="span" aria-pressed={each === span} onClick={() => choose(each)}>
          {each.name}
        </button>
      ))}
    </div>
  );
}

function StateTag({ source }: { source: Source }) {
  if (source.connected === null) return <span className="small muted">{format.counted(source.files, "files")}</span>;
  if (source.lag_s !== null && source.lag_s > LATE_S) {
    const title = `${format.whole(source.waiting)} records wait for the lake`;
    return (
      <Tag tone="caution" title={title}>
        late by {format.duration(source.lag_s)}
      </Tag>
    );
  }
  if (source.connected) {
    return (
      <span className="small" title={`connected since ${format.utc(source.connected_since)}`}>
        <span className="pulse pulse-on" aria-hidden="true" />
        connected
      </span>
    );
  }
  return <Tag>not connected</Tag>;
}

/** Later than this and the lake does not show what is going on; it follows a stream by half a minute as it is. */
export const LATE_S = 150;

interface RowProps {
  source: Source;
  slots: Slot[] | null;
  step: number;
  pointed: number | null;
  onPoint: (index: number | null) => void;
}

function SourceRow({ source, slots, step, pointed, onPoint }: RowProps) {
  const [open, setOpen] = useState(false);
  const asTable = useStore(tablesShown);
  const share = unreadShare(source.total);
  const name = sourceName(source);
  const shown = slots ? sumOf(slots) : null;
  const says = shown ? `${name}: ${format.whole(shown.received)} received in the time shown` : `${name}: nothing in the time shown`;
  return (
    <li className="row">
      <div className="source">
        <p className="source-name">
          <button type="button" className="row-button strong" aria-expanded={open} data-row onClick={() => setOpen(!open)}>
            {name}
          </button>
          <span className="small muted source-last">
            <Time at={source.last_received_at} />
          </span>
        </p>
        {asTable || !slots ? (
          <p className="spark spark-words small muted">{says.slice(name.length + 2)}</p>
        ) : (
          <SourceBars label={says} slots={slots} onPoint={onPoint} pointed={pointed} />
        )}
        <p className="number" title="received in the last 24 hours">
          {format.count(source.last_day.received)}
        </p>
        <p className="number source-total" title="received in all">
          {format.count(source.total.received)}
        </p>
        <p className="number muted source-unread" title={`${format.whole(source.total.rejected)} records could not be read`}>
          {format.percent(share)}
        </p>
        <p className="source-state">
          <StateTag source={source} />
        </p>
      </div>
      {open && <SourceFacts source={source} step={step} />}
    </li>
  );
}

function SourceFacts({ source }: { source: Source; step: number }) {
  const facts: [string, string][] = [
    ["received in all", format.whole(source.total.received)],
    ["stored", format.whole(source.total.stored)],
    ["known already", format.whole(source.total.known)],
    ["could not be read", format.whole(source.total.rejected)],
    ["no posts", format.whole(source.total.ignored)],
    ...(source.kind === "stream"
      ? ([
          ["records a second", format.rate(source.records_per_s)],
          ["wait for the lake", format.whole(source.waiting)],
          ["oldest of them", source.waiting ? `${format.duration(source.lag_s)} ago` : format.MISSING],
          ["connected since", source.connected_since ? format.utc(source.connected_since) : "not connected"],
        ] as [string, string][])
      : ([["files", format.whole(source.files)]] as [string, string][])),
    ["heard of last", format.utc(source.last_received_at)],
  ];
  return (
    <dl className="facts small row-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="muted">{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Every stretch as a row, newest first: what `t` shows. */
function InflowTable({ slots, step }: { slots: readonly Slot[]; step: number }) {
  return (
    <div className="scroll-box" tabIndex={0} role="region" aria-label="What came in, as a table">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">time</th>
            {["stored", "known", "not read", "ignored"].map((name) => (
              <th key={name} scope="col" className="number">
                {name}
              </th>
            ))}
            <th scope="col">state</th>
          </tr>
        </thead>
        <tbody>
          {[...slots].reverse().map((slot) => (
            <tr key={slot.start}>
              <td title={format.utc(slot.start)}>{format.stretch(slot.start, step)}</td>
              <td className="number">{format.whole(slot.counts.stored)}</td>
              <td className="number">{format.whole(slot.counts.known)}</td>
              <td className="number">{format.whole(slot.counts.rejected)}</td>
              <td className="number">{format.whole(slot.counts.ignored)}</td>
              <td>{slot.state === "gap" ? "gap" : slot.state === "before" ? "nothing known" : slot.state === "quiet" ? "quiet" : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const PER: Record<number, string> = { 900: "quarter hour", 3600: "hour", 14_400: "4 hours", 86_400: "day" };

function Legend() {
  return (
    <span className="legend" aria-hidden="true">
      <i className="key-stored" /> stored <i className="key-known" /> known already <i className="key-rejected" /> not read{" "}
      <i className="key-gap" /> gap: nothing is concluded from it
    </span>
  );
}

/** What the figures at the right of a source are. */
function Heads() {
  return (
    <>
      <span className="number note source-head">24 h</span>
      <span className="number note source-head source-total">in all</span>
      <span className="number note source-head source-unread">not read</span>
      <span className="source-head" />
    </>
  );
}

interface ChartsProps {
  sources: Sources;
  inflow: Inflow;
}

function Charts({ sources, inflow }: ChartsProps) {
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const asTable = useStore(tablesShown);
  const all = useMemo(() => together(inflow), [inflow]);
  const bySource = useMemo(() => slotsBySource(inflow), [inflow]);
  const point = (source: string | null) => (index: number | null) => setPointed(index === null ? null : { source, index });
  const slots = pointed ? (pointed.source === null ? all : (bySource.get(pointed.source)?.slots ?? [])) : [];
  const slot = pointed ? slots[pointed.index] : undefined;
  const sum = sumOf(all);
  return (
    <>
      {all.length === 0 ? (
        <p className="muted inflow-nothing">Nothing came in the time shown.</p>
      ) : asTable ? (
        <InflowTable slots={all} step={inflow.step_s} />
      ) : (
        <>
          <p className="note inflow-readout">
            {pointed && slot ? (
              <Readout
                slot={slot}
                name={pointed.source === null ? "All" : pointed.source === "import" ? "Files" : pointed.source}
                missing={pointed.source === null ? missingIn(inflow, pointed.index) : []}
                step={inflow.step_s}
              />
            ) : (
              <Legend />
            )}
          </p>
          <div className="source source-all">
            <p className="source-name">
              <span className="strong">All sources</span>
              <span className="small muted">{format.count(sum.received)} in the time shown</span>
            </p>
            <TotalBars
              label={`All sources: ${format.whole(sum.received)} records received in the time shown. Press t for a table.`}
              slots={all}
              since={Date.parse(inflow.since)}
              until={Date.parse(inflow.until)}
              onPoint={point(null)}
              pointed={pointed?.index ?? null}
            />
            <Heads />
          </div>
        </>
      )}
      <ul className="rows" aria-label="Sources">
        {sources.items.map((source) => (
          <SourceRow
            key={source.name}
            source={source}
            slots={bySource.get(source.name)?.slots ?? null}
            step={inflow.step_s}
            pointed={pointed?.index ?? null}
            onPoint={point(source.name)}
          />
        ))}
      </ul>
    </>
  );
}

/** What came in: everything together, and each source under it on the same times. */
export function InflowCard({ sources }: { sources: Sources }) {
  const [span, setSpan] = useState<Span>(SPANS[1]);
  const inflow = useInflow(span);
  const per = PER[inflow.data?.step_s ?? span.step] ?? "bar";
  return (
    <Card title="What came in" note={`records per ${per}`} className={inflow.isPlaceholderData ? "stale" : ""}>
      <Spans span={span} choose={setSpan} />
      {inflow.error ? (
        <ErrorNote error={inflow.error} retry={() => void inflow.refetch()} />
      ) : inflow.data ? (
        <Charts sources={sources} inflow={inflow.data} />
      ) : (
        <Loading rows={5} label="Loading what came in" />
      )}
    </Card>
  );
}
