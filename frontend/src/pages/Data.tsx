import { useCallback, useRef } from "react";
import { useStatus } from "../api/queries";
import type { Import, Imports, Sources } from "../api/types";
import { Button, Card, Empty, Loading } from "../components/base";
import { ErrorNote } from "../components/states";
import { DriftCard } from "../data/DriftCard";
import { DropTarget } from "../data/DropTarget";
import { ImportsCard } from "../data/ImportsCard";
import { InflowCard, LATE_S } from "../data/InflowCard";
import { ProfileCard } from "../data/ProfileCard";
import { QuarantineCard } from "../data/QuarantineCard";
import { useImportChange, useImports, useSources } from "../data/queries";
import { sendFiles, uploads } from "../data/upload";
import { FILES_ID } from "../lib/files";
import * as format from "../lib/format";
import { useStore } from "../lib/store";
import { useTitle } from "../lib/title";
import "../styles/data.css";
import "../styles/quarantine.css";

/** What the lake holds, from where, and how much of it could not be read. */
function headline(sources: Sources): string {
  const streams = sources.items.filter((source) => source.kind === "stream").length;
  const files = sources.items.find((source) => source.kind === "files")?.files ?? 0;
  const from = [
    streams ? format.counted(streams, "streams") : null,
    files ? format.counted(files, "files") : null,
  ].filter(Boolean);
  const received = sources.items.reduce((sum, source) => sum + source.total.received, 0);
  const share = received ? sources.held / received : 0;
  const unread = sources.held ? `${format.percent(share)} could not be read` : "all of it could be read";
  return `${format.counted(sources.posts, "posts")} from ${from.join(" and ") || "nowhere"}; ${unread}`;
}

function details(sources: Sources): string {
  return [
    sources.authors ? format.counted(sources.authors, "authors") : null,
    sources.comments ? format.counted(sources.comments, "comments") : null,
    `${format.bytes(sources.bytes)} on disk`,
    sources.held ? `${format.counted(sources.held, "records")} set aside` : null,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Says which sources the lake is behind. */
function LateSources({ sources }: { sources: Sources }) {
  const late = sources.items.filter((source) => (source.lag_s ?? 0) > LATE_S);
  const worst = Math.max(...late.map((source) => source.lag_s ?? 0));
  if (late.length === 0) return null;
  const waiting = late.reduce((sum, source) => sum + (source.waiting ?? 0), 0);
  return (
    <p className="banner banner-caution" role="status">
      <strong>Late by {format.duration(worst)}.</strong> {format.counted(waiting, "records")} of{" "}
      {late.map((source) => source.name).join(", ")} wait for the lake; nothing of them is lost.
    </p>
  );
}

function Nothing({ choose }: { choose: () => void }) {
  return (
    <Card title="Nothing has come in yet">
      <div className="drop-zone">
        <Empty title="Drop files here">
          <p>
            CSV, JSON, NDJSON, Parquet, spreadsheets, and archives of them: exports of a platform, of a scraper, or a table of
            your own. You see how they would be read before anything is stored.
          </p>
          <Button primary onClick={choose}>
            Choose files
          </Button>
        </Empty>
        <Empty title="Or send them from elsewhere">
          <p>
            <code>groundswell import FILE</code> for files of any size, <code>/api/v1/records</code> for a stream.
          </p>
        </Empty>
      </div>
    </Card>
  );
}

const OVER: ReadonlySet<Import["state"]> = new Set(["done", "cancelled"]);

function Content({ sources, imports, choose }: { sources: Sources; imports: Imports | undefined; choose: () => void }) {
  const now = useStatus().data?.clock ?? Date.now();
  const sending = useStore(uploads).length;
  const empty = sources.items.length === 0;
  if (empty && !sending && imports?.items.length === 0) return <Nothing choose={choose} />;
  const onTheWay = sending > 0 || imports?.items.some((one) => one.kind === "upload" && !OVER.has(one.state));
  const cards = [
    !empty && <InflowCard key="inflow" sources={sources} />,
    !empty && (
      <div key="trouble" className="data-columns">
        <QuarantineCard />
        <DriftCard />
      </div>
    ),
    !empty && <ProfileCard key="profile" posts={sources.posts} />,
    imports && <ImportsCard key="imports" imports={imports} now={now} choose={choose} />,
  ];
  // What a person has to do with comes first.
  return onTheWay ? [cards.at(-1), ...cards.slice(0, -1)] : [...cards.slice(0, 2), cards.at(-1), cards[2]];
}

/** What is there and how it came in: sources, gaps, what was set aside, and files to import. */
export default function Data() {
  useTitle("Data");
  const sources = useSources();
  const imports = useImports();
  const changed = useImportChange();
  const input = useRef<HTMLInputElement>(null);
  const most = imports.data?.max_upload ?? Number.MAX_SAFE_INTEGER;
  const take = useCallback((files: Iterable<File>) => sendFiles(files, changed, most), [changed, most]);
  const choose = () => input.current?.click();
  const some = sources.data && sources.data.items.length > 0;
  return (
    <>
      <header className="page-head page-head-sentence page-head-data">
        <div className="sentence">
          <h1>{some ? headline(sources.data) : "Data"}</h1>
          {some && <p className="muted">{details(sources.data)}</p>}
        </div>
        <input
          ref={input}
          id={FILES_ID}
          type="file"
          multiple
          hidden
          onChange={(event) => {
            take(event.target.files ?? []);
            event.target.value = "";
          }}
        />
        <Button primary onClick={choose}>
          Import files
        </Button>
      </header>
      {sources.data && <LateSources sources={sources.data} />}
      {sources.error ? (
        <ErrorNote error={sources.error} retry={() => void sources.refetch()} />
      ) : sources.data && !imports.isPending ? (
        <Content sources={sources.data} imports={imports.data} choose={choose} />
      ) : (
        <Loading rows={6} label="Loading" />
      )}
      {imports.error && <ErrorNote error={imports.error} retry={() => void imports.refetch()} />}
      <DropTarget take={take} />
    </>
  );
}
