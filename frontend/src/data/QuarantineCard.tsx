import { useState } from "react";
import type { Quarantine, QuarantineRow, QuarantineShare, Retried } from "../api/types";
import { Button, Card, Empty, Loading, Time } from "../components/base";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { type HeldFilter, useQuarantine, useQuarantined, useRetry } from "./queries";

/** What a retry did, in a sentence. */
function retriedWords(done: Retried): string {
  if (done.read === 0) return "Nothing was held.";
  const parts = [
    done.stored ? `${format.whole(done.stored)} stored` : null,
    done.known ? `${format.whole(done.known)} known already` : null,
    done.ignored ? `${format.whole(done.ignored)} no posts` : null,
    done.held ? `${format.whole(done.held)} still held` : null,
  ].filter(Boolean);
  return `${format.whole(done.read)} read again: ${parts.join(", ")}.`;
}

/** One record's bytes as text; they were never run through anything that could act on them. */
function Raw({ id }: { id: string }) {
  const record = useQuarantined(id);
  if (record.error) return <ErrorNote error={record.error} />;
  if (!record.data) return <Loading rows={1} label="Loading the record" />;
  const { raw, raw_bytes, whole, detail, layout } = record.data;
  return (
    <div className="raw-box">
      <p className="small muted">
        {detail} · {layout ?? "no layout"} · {format.bytes(raw_bytes)}
        {!whole && ", the beginning"}
      </p>
      <pre className="raw" tabIndex={0} aria-label="Raw record">
        {raw}
      </pre>
    </div>
  );
}

function HeldRow({ row }: { row: QuarantineRow }) {
  const [open, setOpen] = useState(false);
  return (
    <li className="held">
      <button type="button" className="row-button raw-cut" data-row aria-expanded={open} onClick={() => setOpen(!open)}>
        {row.example.replace(/\s+/g, " ").slice(0, 140) || "(empty)"}
      </button>
      <span className="small muted one-line" title={row.origin}>
        {row.row !== null && `row ${format.whole(row.row)} of `}
        {row.origin.split("/").at(-1)}, <Time at={row.at} />
      </span>
      {open && <Raw id={row.id} />}
    </li>
  );
}

const FEW = 5;

function Examples({ filter, retry }: { filter: HeldFilter; retry: () => void }) {
  const [limit, setLimit] = useState(FEW);
  const held = useQuarantine(filter, limit);
  if (held.error) return <ErrorNote error={held.error} />;
  if (!held.data) return <Loading rows={2} label="Loading examples" />;
  return (
    <div className="held-list">
      <ul>
        {held.data.items.map((row) => (
          <HeldRow key={row.id} row={row} />
        ))}
      </ul>
      <p className="line-up">
        <Button onClick={retry}>Read these again</Button>
        {held.data.items.length === limit && <Button onClick={() => setLimit(limit * 4)}>More</Button>}
      </p>
    </div>
  );
}

interface ReasonProps {
  share: QuarantineShare;
  origin: string;
  retry: (filter: HeldFilter) => void;
}

function ReasonRow({ share, origin, retry }: ReasonProps) {
  const [open, setOpen] = useState(false);
  const filter = { reason: share.name ?? "", ...(origin ? { origin } : {}) };
  return (
    <li className="row">
      <div className="reason">
        <button type="button" className="row-button" data-row aria-expanded={open} onClick={() => setOpen(!open)}>
          {share.name}
        </button>
        <span className="number">{format.whole(share.rows)}</span>
        <span className="raw-cut muted reason-example">{format.shortened(share.example, 90)}</span>
      </div>
      {open && <Examples filter={filter} retry={() => retry(filter)} />}
    </li>
  );
}

function Reasons({ held, origin, retry }: { held: Quarantine; origin: string; retry: (filter: HeldFilter) => void }) {
  return (
    <>
      <div className="reason reason-heads note" aria-hidden="true">
        <span>reason</span>
        <span className="number">records</span>
        <span className="reason-example">the newest</span>
      </div>
      <ul className="rows" aria-label="Reasons">
        {held.by_reason.map((share) => (
          <ReasonRow key={share.name} share={share} origin={origin} retry={retry} />
        ))}
      </ul>
    </>
  );
}

/** What could not be read, by reason; nothing of it is lost. */
export function QuarantineCard() {
  const [origin, setOrigin] = useState("");
  const held = useQuarantine(origin ? { origin } : {}, 1);
  const retry = useRetry();
  const origins = held.data?.by_origin ?? [];
  return (
    <Card title="Set aside" note="raw bytes kept, can be tried again">
      {held.error ? (
        <ErrorNote error={held.error} retry={() => void held.refetch()} />
      ) : !held.data ? (
        <Loading rows={3} label="Loading the quarantine" />
      ) : held.data.held === 0 ? (
        <Empty title="Nothing is set aside">Every record that came in could be read.</Empty>
      ) : (
        <>
          {origins.length > 1 && (
            <label className="held-filter">
              <span className="hidden">from</span>
              <select value={origin} onChange={(event) => setOrigin(event.target.value)}>
                <option value="">from everywhere ({format.whole(held.data.held)})</option>
                {origins.map((each) => (
                  <option key={each.name} value={each.name ?? ""}>
                    {(each.name ?? "").split("/").at(-1)} ({format.whole(each.rows)})
                  </option>
                ))}
              </select>
            </label>
          )}
          <Reasons held={held.data} origin={origin} retry={(filter) => retry.mutate(filter)} />
          <div className="card-foot">
            <Button disabled={retry.isPending} onClick={() => retry.mutate(origin ? { origin } : {})}>
              {retry.isPending ? "Reading again…" : "Try again"}
            </Button>
          </div>
        </>
      )}
      <div aria-live="polite">
        {retry.data && <p className="small card-foot">{retriedWords(retry.data)}</p>}
        {retry.error && <ErrorNote error={retry.error} />}
      </div>
    </Card>
  );
}
