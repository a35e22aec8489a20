import { useState } from "react";
import type { Drift, DriftNotice } from "../api/types";
import { Card, Empty, Loading, Tag, Time } from "../components/base";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { useDrift } from "./queries";

/** What fell, and what came up where it was. */
function Sentence({ notice }: { notice: DriftNotice }) {
  const what = notice.field || "usable records";
  const [first] = notice.instead;
  return (
    <p>
      <span className="strong">{what}</span>{" "}
      {notice.field ? "was filled in" : "were"} {format.percent(notice.share_before)} of the records and{" "}
      {notice.field ? "is now in" : "are now"} {format.percent(notice.share_now)}.{" "}
      {first ? (
        <>
          A new key <code className="key">{first.key}</code> appeared at the same time, in {format.percent(first.share)}.
        </>
      ) : (
        "No key appeared in its place."
      )}
    </p>
  );
}

function Instead({ notice }: { notice: DriftNotice }) {
  return (
    <table className="table small">
      <thead>
        <tr>
          <th scope="col">instead</th>
          <th scope="col" className="number">
            before
          </th>
          <th scope="col" className="number">
            now
          </th>
          <th scope="col">examples</th>
        </tr>
      </thead>
      <tbody>
        {notice.instead.map((key) => (
          <tr key={key.key}>
            <td>
              <code className="key">{key.key}</code>
            </td>
            <td className="number">{format.percent(key.before)}</td>
            <td className="number">{format.percent(key.share)}</td>
            <td className="muted">{key.examples.map((example) => format.shortened(example, 40)).join("  ·  ")}</td>
          </tr>
        ))}
        {notice.unread.map((cell) => (
          <tr key={cell}>
            <td colSpan={4} className="muted">
              not read: <code className="key">{format.shortened(cell, 100)}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Notice({ notice }: { notice: DriftNotice }) {
  const [open, setOpen] = useState(notice.state === "open");
  const more = notice.instead.length > 0 || notice.unread.length > 0;
  return (
    <li className="row notice">
      <p className="notice-head small muted">
        <button type="button" className="row-button strong" data-row aria-expanded={open} onClick={() => setOpen(!open)}>
          {notice.layout}
        </button>
        <span>
          since <Time at={notice.since} />
          {notice.closed_at && (
            <>
              , back since <Time at={notice.closed_at} />
            </>
          )}
        </span>
      </p>
      <Sentence notice={notice} />
      {open && more && <Instead notice={notice} />}
    </li>
  );
}

function Notices({ drift }: { drift: Drift }) {
  const open = drift.notices.filter((notice) => notice.state === "open");
  const closed = drift.notices.filter((notice) => notice.state === "closed");
  if (drift.notices.length === 0) {
    return (
      <Empty title="No layout has drifted">
        {drift.layouts.length > 0
          ? `The fields of ${format.counted(drift.layouts.length, "layouts")} are filled as before.`
          : "The share of filled values is kept for each field; a field that falls is told here."}
      </Empty>
    );
  }
  return (
    <>
      <ul className="rows" aria-label="Drift">
        {[...open, ...closed].slice(0, 12).map((notice) => (
          <Notice key={notice.id} notice={notice} />
        ))}
      </ul>
      {open.length > 0 && (
        <p className="small muted card-foot">
          Raw records are kept: once the layout is mended, <code className="key">groundswell remap</code> reads them again.
        </p>
      )}
    </>
  );
}

/** Fields that are not filled any more: a platform has changed its format. */
export function DriftCard() {
  const drift = useDrift();
  const open = drift.data?.notices.filter((notice) => notice.state === "open").length ?? 0;
  return (
    <Card
      title={open ? "The format has drifted" : "Drift"}
      note={open ? <Tag tone="caution">{format.counted(open, "fields")}</Tag> : "share of filled values, by field"}
      className={open ? "card-caution" : ""}
    >
      {drift.error ? (
        <ErrorNote error={drift.error} retry={() => void drift.refetch()} />
      ) : drift.data ? (
        <Notices drift={drift.data} />
      ) : (
        <Loading rows={2} label="Loading drift" />
      )}
    </Card>
  );
}
