import { useState } from "react";
import type { Import, ImportResult, Imports } from "../api/types";
import { Button, Card, Tag, Time } from "../components/base";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { exploreAddress } from "../lib/queryState";
import { Link } from "../lib/router";
import { useStore } from "../lib/store";
import { PreviewPanel } from "./PreviewPanel";
import { useGiveUp, useImportStep } from "./queries";
import { stopUpload, type Upload, uploads } from "./upload";

/** How long something still takes, from how far it is; null until that can be said. */
function secondsLeft(one: Import, now: number): number | null {
  const { progress } = one;
  if (!progress || progress.files > 1 || !progress.position || progress.position > progress.bytes) return null;
  const gone = (now - Date.parse(one.at)) / 1000;
  const part = progress.position / progress.bytes;
  return part < 0.02 || gone < 2 ? null : (gone / part) * (1 - part);
}

function Bar({ part, label }: { part: number | null; label: string }) {
  return (
    <progress className="progress" aria-label={label} {...(part === null ? {} : { value: part, max: 1 })} />
  );
}

/** A file that is being sent. */
function UploadRow({ upload }: { upload: Upload }) {
  return (
    <li className="row import">
      <p className="import-name">
        <span className="strong one-line" title={upload.name}>
          {upload.name}
        </span>
        <span className="small muted">
          {upload.error ? "" : `${format.bytes(upload.sent)} of ${format.bytes(upload.size)} sent`}
        </span>
      </p>
      <div className="import-state">
        {upload.error ? (
          <span className="caution-text">{upload.error.message}</span>
        ) : (
          <Bar part={upload.size ? upload.sent / upload.size : null} label={`${upload.name} is being sent`} />
        )}
      </div>
      <p className="import-actions">
        <Button onClick={() => stopUpload(upload.key)}>{upload.error ? "Dismiss" : "Cancel"}</Button>
      </p>
    </li>
  );
}

const WORDS: Record<Import["state"], string> = {
  looking: "looking into it",
  ready: "ready to import",
  waiting: "waiting for its turn",
  running: "importing",
  done: "done",
  failed: "failed",
  interrupted: "interrupted",
  cancelled: "given up",
};

function Progress({ one }: { one: Import }) {
  const { progress } = one;
  if (!progress) return <Tag>{WORDS[one.state]}</Tag>;
  const known = progress.position > 0 && progress.position <= progress.bytes;
  const part = known ? (progress.number - 1 + progress.position / progress.bytes) / Math.max(1, progress.files) : null;
  const left = secondsLeft(one, Date.now());
  const said = [
    progress.says,
    progress.files > 1 ? `file ${progress.number} of ${progress.files}` : null,
    part === null ? null : format.percent(part),
    `${format.count(progress.records)} records`,
    left === null ? null : `${format.duration(left)} left`,
  ].filter(Boolean);
  return (
    <div className="import-progress">
      <Bar part={part} label={`${one.name} is being imported`} />
      <span className="small muted">{said.join(" · ")}</span>
    </div>
  );
}

/** What became of the records, under the heads of the card. */
function Sums({ result }: { result: ImportResult }) {
  const speed = result.seconds > 0.05 ? `${format.bytes(result.bytes / result.seconds)}/s` : format.duration(result.seconds);
  const figures: [string, number][] = [
    ["read", result.read],
    ["stored", result.stored],
    ["known", result.known],
    ["set aside", result.rejected],
  ];
  return (
    <>
      {figures.map(([name, value]) => (
        <span key={name} className={`number sum ${name === "stored" ? "strong" : ""}`} title={`${format.whole(value)} ${name}`}>
          {format.count(value)}
          <span className="sum-name small muted"> {name}</span>
        </span>
      ))}
      <span className="number muted sum sum-speed" title={format.duration(result.seconds)}>
        {speed}
      </span>
    </>
  );
}

function State({ one }: { one: Import }) {
  if (one.state === "done" && one.result) return <Sums result={one.result} />;
  if (one.state === "running") {
    return (
      <div className="import-state">
        <Progress one={one} />
      </div>
    );
  }
  const calm = one.state === "failed" || one.state === "interrupted" ? "caution" : "quiet";
  return (
    <p className="import-state">
      <Tag tone={calm}>{WORDS[one.state]}</Tag> <span className="small muted">{one.error ?? ""}</span>
    </p>
  );
}

interface RowProps {
  one: Import;
  now: format.Moment;
}

function ImportRow({ one, now }: RowProps) {
  const adjustable = one.kind === "upload" && ["ready", "looking", "failed", "interrupted"].includes(one.state);
  const [opened, setOpen] = useState<boolean | null>(null);
  const opens = adjustable ? one.preview !== null : one.result !== null;
  // It stays open while it is looked at again.
  const open = opens && (opened ?? (one.state === "ready" || one.state === "looking"));
  const about = [one.kind === "command" ? "command line" : "upload", one.bytes === null ? null : format.bytes(one.bytes)];
  return (
    <li className="row">
      <div className="import">
        <p className="import-name">
          <button
            type="button"
            className="row-button strong one-line"
            data-row
            title={one.name}
            aria-expanded={opens ? open : undefined}
            onClick={() => setOpen(!open)}
          >
            {shortName(one.name)}
          </button>
          <span className="small muted">
            {about.filter(Boolean).join(", ")} · <Time at={one.at} now={now} />
          </span>
        </p>
        <State one={one} />
        <Actions one={one} />
      </div>
      {open && adjustable && <PreviewPanel one={one} />}
      {open && !adjustable && one.result && <Outcome one={one} result={one.result} />}
    </li>
  );
}

/** Paths of the command line are long; the end says most. */
function shortName(name: string): string {
  const parts = name.split("/");
  return parts.length > 3 ? `…/${parts.slice(-2).join("/")}` : name;
}

function Actions({ one }: { one: Import }) {
  const giveUp = useGiveUp();
  const start = useImportStep("start");
  if (one.kind === "command") return <p className="import-actions" />;
  const active = one.state === "running" || one.state === "waiting";
  const fresh = one.state === "ready" || one.state === "looking";
  const verb = active ? "Cancel" : fresh ? "Discard" : "Remove";
  return (
    <p className="import-actions">
      {one.state === "interrupted" && (
        <Button disabled={start.isPending} onClick={() => start.mutate({ id: one.id })}>
          Resume
        </Button>
      )}
      <Button disabled={giveUp.isPending} aria-label={`${verb} ${one.name}`} onClick={() => giveUp.mutate(one.id)}>
        {verb}
      </Button>
      {(giveUp.error ?? start.error) && <span className="small caution-text">{(giveUp.error ?? start.error)?.message}</span>}
    </p>
  );
}

/** What came of an import: by layout, why records were set aside, which files failed. */
function Outcome({ one, result }: { one: Import; result: ImportResult }) {
  return (
    <div className="outcome">
      {result.layouts.length > 0 && (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">read as</th>
              {["read", "stored", "known", "set aside", "no posts"].map((name) => (
                <th key={name} scope="col" className="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {result.layouts.map((layout) => (
              <tr key={layout.layout}>
                <td>{layout.layout ?? "no layout claims them"}</td>
                {[layout.read, layout.stored, layout.known, layout.rejected, layout.ignored].map((value, index) => (
                  <td key={index} className="number">
                    {format.whole(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {result.reasons.length > 0 && (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">set aside because</th>
              <th scope="col" className="number">
                records
              </th>
              <th scope="col">for example</th>
            </tr>
          </thead>
          <tbody>
            {result.reasons.map((reason) => (
              <tr key={reason.reason}>
                <td>{reason.reason}</td>
                <td className="number">{format.whole(reason.rows)}</td>
                <td className="raw-cut muted">{format.shortened(reason.example, 160)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {result.failed.map((file) => (
        <p key={file.path} className="caution-text">
          {shortName(file.path)}: {file.error}
        </p>
      ))}
      <p className="small">
        {result.stored + result.known > 0 && <PostsLink one={one} />}
        {result.files > 1 && <span className="muted"> from {format.whole(result.files)} files</span>}
      </p>
    </div>
  );
}

function PostsLink({ one }: { one: Import }) {
  return (
    <Link className="text" to={exploreAddress({ origin: one.origin ?? "" })}>
      The posts of {one.kind === "upload" ? "this upload" : "this file"}
    </Link>
  );
}

const FEW = 8;

interface CardProps {
  imports: Imports;
  now: format.Moment;
  choose: () => void;
}

/** Files on their way and what came of those before. */
export function ImportsCard({ imports, now, choose }: CardProps) {
  const sending = useStore(uploads);
  const [all, setAll] = useState(false);
  const start = useImportStep("start");
  const ready = imports.items.filter((one) => one.state === "ready" && one.preview);
  const shown = all ? imports.items : imports.items.slice(0, FEW);
  return (
    <Card
      title="Imports"
      note={
        ready.length > 1 ? (
          <Button disabled={start.isPending} onClick={() => ready.forEach((one) => start.mutate({ id: one.id }))}>
            Import all {ready.length}
          </Button>
        ) : (
          "newest first"
        )
      }
    >
      {start.error && <ErrorNote error={start.error} />}
      <div className="import import-heads note" aria-hidden="true">
        <span>what</span>
        {["read", "stored", "known", "set aside", "speed"].map((name) => (
          <span key={name} className="number">
            {name}
          </span>
        ))}
        <span />
      </div>
      <ul className="rows" aria-label="Imports">
        {sending.map((upload) => (
          <UploadRow key={`sending ${upload.key}`} upload={upload} />
        ))}
        {shown.map((one) => (
          <ImportRow key={one.id} one={one} now={now} />
        ))}
        <li className="row drop-row">
          <span className="muted">Drop files anywhere on this page, or</span> <Button onClick={choose}>choose files</Button>
        </li>
      </ul>
      {imports.items.length > FEW && !all && (
        <div className="more">
          <Button onClick={() => setAll(true)}>{format.counted(imports.items.length - FEW, "earlier imports")}</Button>
        </div>
      )}
    </Card>
  );
}
