import { type FormEvent, useState } from "react";
import { Problem } from "../api/client";
import { type TrackerDraft, useSaveTracker, useStatus, useTrackers } from "../api/queries";
import type { Tracker } from "../api/types";
import { Backtest } from "../components/Backtest";
import { Button, ButtonLink, Card, Empty, Loading } from "../components/base";
import { QueryField } from "../components/QueryField";
import { ErrorNote } from "../components/states";
import { COUNTRIES } from "../lib/countries";
import * as format from "../lib/format";
import { trackerAddress } from "../lib/places";
import { PROMISES, stepOf } from "../lib/promise";
import { Link, navigate, useSearch } from "../lib/router";
import { useTitle } from "../lib/title";

/** The fields as they are written; numbers are texts until they are saved. */
interface Fields {
  query: string;
  name: string;
  promise: string;
  country: string;
  followers: string;
  share: string;
  countBy: "created_at" | "observed_at";
}

function fieldsOf(tracker: Tracker): Fields {
  return {
    query: tracker.query,
    name: tracker.name,
    promise: String(tracker.promise_days),
    country: tracker.country ?? "",
    followers: tracker.reach_followers == null ? "" : String(tracker.reach_followers),
    share: tracker.reach_share == null ? "" : String(Number((tracker.reach_share * 100).toPrecision(6))),
    countBy: tracker.count_by ?? "created_at",
  };
}

const numberOf = (text: string): number | null => (text.trim() === "" ? null : Number(text));

/** A percentage as a fraction. */
const shareOf = (text: string): number | null => {
  const share = numberOf(text);
  return share === null ? null : share / 100;
};

/** A name for a tracker without one: its query, a single phrase without its quotes. */
export function nameOf(query: string): string {
  return (/^"([^"]+)"$/.exec(query)?.[1] ?? query).slice(0, 200);
}

/** What differs from the tracker as it is; for a new one, from what the settings say. */
export function draftOf(fields: Fields, before: Fields): TrackerDraft {
  const query = fields.query.trim();
  const draft: TrackerDraft = {};
  if (query !== before.query) draft.query = query;
  const name = fields.name.trim() || nameOf(query);
  if (name !== before.name) draft.name = name;
  if (fields.promise !== before.promise) draft.promise_days = Number(fields.promise);
  if (fields.country !== before.country) draft.country = fields.country || null;
  if (fields.followers !== before.followers) draft.reach_followers = numberOf(fields.followers);
  if (fields.share !== before.share) {
    draft.reach_share = shareOf(fields.share);
  }
  if (fields.countBy !== before.countBy) draft.count_by = fields.countBy;
  return draft;
}

interface EditorProps {
  /** The tracker that is changed; absent: a new one. */
  tracker?: Tracker;
  first: Fields;
  /** What the server would take for fields that are left alone. */
  before: Fields;
}

function Editor({ tracker, first, before }: EditorProps) {
  const [fields, setFields] = useState(first);
  const save = useSaveTracker(tracker?.id);
  const set = (part: Partial<Fields>) => {
    setFields({ ...fields, ...part });
    if (save.isError) save.reset();
  };
  const query = fields.query.trim();
  const promise = Number(fields.promise) > 0 ? Number(fields.promise) : 30;
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (!query || save.isPending) return;
    const draft = draftOf(fields, before);
    const toTracker = (saved: { id: string }) => navigate(tracker ? trackerAddress(saved.id) : "/");
    if (tracker && Object.keys(draft).length === 0) toTracker(tracker);
    else save.mutate(draft, { onSuccess: toTracker });
  };
  const fault = save.error instanceof Problem ? save.error.fault : null;
  return (
    <form className="editor" onSubmit={submit}>
      <div className="editor-columns">
        <Card title="What is watched">
          <div className="form">
            <QueryField value={fields.query} onChange={(text) => set({ query: text })} onSubmit={() => submit()} forTracker />
            <label>
              <span>Name</span>
              <input
                value={fields.name}
                maxLength={200}
                autoComplete="off"
                placeholder={nameOf(query) || "as the query"}
                onChange={(event) => set({ name: event.target.value })}
              />
            </label>
            {tracker && query !== tracker.query && (
              <p className="note">Another query is another series: it learns anew what is usual, from what was imported and received before.</p>
            )}
          </div>
        </Card>
        <Card title="When it alerts">
          <div className="form">
            <PromiseField days={fields.promise} onChange={(days) => set({ promise: days })} />
            <ReachFields fields={fields} set={set} />
            <TimeFields fields={fields} set={set} />
          </div>
        </Card>
      </div>
      {save.error && !fault && <ErrorNote error={save.error} />}
      {fault && <p className="note" role="alert">The query does not parse at column {fault.column}: expected {fault.expected}.</p>}
      <div className="form-actions">
        <ButtonLink to={tracker ? trackerAddress(tracker.id) : "/"}>Cancel</ButtonLink>
        <Button primary type="submit" disabled={save.isPending || !query}>
          {save.isPending ? "Saving…" : tracker ? "Save changes" : "Add tracker"}
        </Button>
      </div>
      <Backtest
        query={query}
        promise={promise}
        country={fields.country}
        followers={numberOf(fields.followers)}
        share={shareOf(fields.share)}
        onPromise={(days) => set({ promise: String(days) })}
      />
    </form>
  );
}

interface PartProps {
  fields: Fields;
  set: (part: Partial<Fields>) => void;
}

/** The promise as a sentence with a slider: it is what people set instead of a threshold. */
function PromiseField({ days, onChange }: { days: string; onChange: (days: string) => void }) {
  const value = Number(days);
  return (
    <fieldset className="promise">
      <legend className="small">Promise</legend>
      <p>
        At most about one false alert in{" "}
        <input
          type="number"
          aria-label="Promise in days"
          min="0.1"
          max="3650"
          step="any"
          required
          value={days}
          onChange={(event) => onChange(event.target.value)}
        />{" "}
        {value === 1 ? "day" : "days"}.
      </p>
      <input
        type="range"
        aria-label="Promise"
        min="0"
        max={PROMISES.length - 1}
        step="1"
        value={stepOf(value > 0 ? value : 30)}
        aria-valuetext={`one false alert in ${format.whole(value)} days`}
        onChange={(event) => onChange(String(PROMISES[Number(event.target.value)]))}
      />
      <p className="range-ends note" aria-hidden="true">
        <span>more alerts, sooner</span>
        <span>fewer, surer</span>
      </p>
    </fieldset>
  );
}

function ReachFields({ fields, set }: PartProps) {
  return (
    <fieldset>
      <legend className="small">Alert at once on a single post</legend>
      <div className="field-row">
        <label>
          <span>by an author with more followers than</span>
          <input
            type="number"
            min="1"
            step="1"
            placeholder="never"
            value={fields.followers}
            onChange={(event) => set({ followers: event.target.value })}
          />
        </label>
        <label>
          <span>in its platform's top share of reach, %</span>
          <input
            type="number"
            min="0"
            max="100"
            step="any"
            placeholder="never"
            value={fields.share}
            onChange={(event) => set({ share: event.target.value })}
          />
        </label>
      </div>
    </fieldset>
  );
}

function TimeFields({ fields, set }: PartProps) {
  return (
    <div className="field-row">
      <label>
        <span>Public holidays of</span>
        <select value={fields.country} onChange={(event) => set({ country: event.target.value })}>
          <option value="">no country</option>
          {COUNTRIES.map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Count posts by</span>
        <select
          value={fields.countBy}
          onChange={(event) => set({ countBy: event.target.value as Fields["countBy"] })}
        >
          <option value="created_at">when they were posted</option>
          <option value="observed_at">when they were seen (crawled feeds)</option>
        </select>
      </label>
    </div>
  );
}

function NewEditor() {
  const status = useStatus();
  const search = useSearch();
  if (!status.data && !status.error) return <Loading rows={6} label="Loading" />;
  const none: Fields = {
    query: "",
    name: "",
    promise: String(status.data?.promise_days ?? 30),
    country: "",
    followers: "",
    share: "",
    countBy: "created_at",
  };
  return <Editor first={{ ...none, query: search.get("q") ?? "", name: search.get("name") ?? "" }} before={none} />;
}

/** Writes a new tracker or changes one: its query, its promise, and what they would have done in the past. */
export default function TrackerEditor({ id }: { id?: string }) {
  const answer = useTrackers();
  const tracker = id === undefined ? undefined : answer.data?.items.find((known) => known.id === id);
  const title = id === undefined ? "New tracker" : tracker ? `Change ${tracker.name}` : "Change a tracker";
  useTitle(title);
  return (
    <>
      <p className="crumbs small muted">
        <Link to="/" className="quiet">
          Live
        </Link>{" "}
        / Trackers
        {tracker && (
          <>
            {" / "}
            <Link to={trackerAddress(tracker.id)} className="quiet">
              {tracker.name}
            </Link>
          </>
        )}
      </p>
      <header className="page-head page-head-sentence">
        <div className="sentence">
          <h1>{title}</h1>
          {id === undefined && (
            <p className="muted">Its posts are counted from now on. What was imported before teaches it what is usual.</p>
          )}
        </div>
      </header>
      {id === undefined ? (
        <NewEditor />
      ) : tracker ? (
        <Editor key={`${tracker.id} ${tracker.version}`} tracker={tracker} first={fieldsOf(tracker)} before={fieldsOf(tracker)} />
      ) : answer.error ? (
        <ErrorNote error={answer.error} retry={() => void answer.refetch()} />
      ) : answer.data ? (
        <Empty title="It was removed, or it never was.">
          <ButtonLink to="/">To Live</ButtonLink>
        </Empty>
      ) : (
        <Loading rows={8} label="Loading the tracker" />
      )}
    </>
  );
}
