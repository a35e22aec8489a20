import { useEffect, useState } from "react";
import { Problem } from "../api/client";
import { connection, retryNow } from "../api/follow";
import type { Status } from "../api/types";
import * as format from "../lib/format";
import { useStore } from "../lib/store";
import { Button } from "./base";

interface ErrorNoteProps {
  error: Error;
  retry?: () => void;
}

/** What went wrong and what to do. */
export function ErrorNote({ error, retry }: ErrorNoteProps) {
  const hint = error instanceof Problem ? error.hint : null;
  return (
    <div className="error-note" role="alert">
      <p className="strong">{error.message}</p>
      {hint && <p className="muted">{hint}</p>}
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

interface QueryFaultProps {
  query: string;
  column: number;
  expected: string;
}

/** The query with a caret under the place where it stopped making sense. */
export function QueryFaultNote({ query, column, expected, id, typing = false }: QueryFaultProps & { id?: string; typing?: boolean }) {
  const characters = [...query];
  const at = Math.min(Math.max(column, 1), characters.length + 1);
  // Long queries are cut before the place, so that the caret stays in view at any width.
  const from = Math.max(0, at - 29);
  const shown = (from > 0 ? "…" : "") + characters.slice(from).join("");
  const caret = at - 1 - from + (from > 0 ? 1 : 0);
  return (
    <div className="query-fault" role={typing ? "status" : "alert"} id={id}>
      <pre aria-hidden="true">
        {shown}
        {"\n"}
        {" ".repeat(caret)}^
      </pre>
      <p>
        The query does not parse at column {column}
        {expected && <>: expected {expected}</>}.
      </p>
    </div>
  );
}

/** Later than this beyond a window and the figures are not of now. */
const LATE_S = 150;

/** Says that the watch is behind its stream. */
export function LateBanner({ status }: { status: Pick<Status, "late_by_s"> & Partial<Status> }) {
  const late = status.late_by_s;
  if (late === null || late < LATE_S) return null;
  const asOf = status.watermark
    ? `what you see is as of ${format.clock(status.watermark, status.clock ?? undefined)}.`
    : "nothing has been counted so far.";
  return (
    <p className="banner banner-caution" role="status">
      <strong>Late by {format.duration(late)}.</strong> More comes in than is counted, or it comes in late; {asOf}
    </p>
  );
}

function useSecondsUntil(moment: number | null): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (moment === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [moment]);
  return moment === null ? 0 : Math.max(0, Math.ceil((moment - now) / 1000));
}

/** How long "the server is back" stays. */
const BACK_MS = 4_000;

/** Says that the server is gone and when it is tried again; then, for a moment, that it is back. */
export function ConnectionBanner() {
  const state = useStore(connection);
  const seconds = useSecondsUntil(state.kind === "lost" ? state.retryAt : null);
  const [back, setBack] = useState(false);
  const recoveredAt = state.kind === "open" && state.recovered ? state.since : null;
  useEffect(() => {
    if (recoveredAt === null) return;
    setBack(true);
    const timer = setTimeout(() => setBack(false), BACK_MS);
    return () => clearTimeout(timer);
  }, [recoveredAt]);

  if (state.kind === "lost") {
    return (
      <p className="banner banner-caution" role="status">
        <strong>Server gone,</strong> {seconds > 0 ? `trying again in ${seconds} s.` : "trying again now."} What you see is
        from before. <Button onClick={retryNow}>Try now</Button>
      </p>
    );
  }
  if (state.kind === "open" && back) {
    return (
      <p className="banner" role="status">
        <strong className="good">The server is back.</strong> What was missed has been fetched.
      </p>
    );
  }
  return null;
}
