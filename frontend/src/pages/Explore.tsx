import { type FormEvent, useEffect, useState } from "react";
import { Problem } from "../api/client";
import { usePosts, useStatus } from "../api/queries";
import type { Posts } from "../api/types";
import { Button, Card, Empty, Loading } from "../components/base";
import { lineOfPost, platformName, PLATFORMS, PostList } from "../components/Posts";
import { ErrorNote, QueryFaultNote } from "../components/states";
import * as format from "../lib/format";
import { MOST, PAGE, readSearch, type Search, SORTS, writeSearch } from "../lib/queryState";
import { navigate, useSearch } from "../lib/router";
import { useTitle } from "../lib/title";

const FAULT_ID = "query-fault";

function SearchForm({ search, fault }: { search: Search; fault: Problem["fault"] }) {
  const [draft, setDraft] = useState(search);
  useEffect(() => setDraft(search), [search]);
  const go = (next: Search) => navigate(`/posts${writeSearch({ ...next, limit: PAGE })}`);
  /** What is chosen, not written, takes effect at once. */
  const choose = (part: Partial<Search>) => {
    const next = { ...draft, ...part };
    setDraft(next);
    go(next);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    go({ ...draft, q: draft.q.trim() });
  };
  return (
    <form className="search" role="search" onSubmit={submit}>
      <label className="search-query">
        <span className="hidden">Query</span>
        <input
          id="query"
          type="text"
          value={draft.q}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="none"
          placeholder={'pfizer, "side effects", #covaxin, @mention, a AND (b OR c) -d'}
          aria-invalid={fault !== null}
          aria-describedby={fault ? FAULT_ID : undefined}
          onChange={(event) => setDraft({ ...draft, q: event.target.value })}
        />
      </label>
      <label>
        <span className="note">platform</span>
        <select value={draft.platform} onChange={(event) => choose({ platform: event.target.value })}>
          <option value="">all</option>
          {PLATFORMS.map((platform) => (
            <option key={platform} value={platform}>
              {platformName(platform)}
            </option>
          ))}
        </select>
      </label>
      <DayField name="since" value={draft.since} choose={(since) => choose({ since })} />
      <DayField name="until" value={draft.until} choose={(until) => choose({ until })} />
      {draft.origin && (
        <div className="field-moment">
          <span className="note">from file</span>
          <button type="button" className="button" title={`${draft.origin}: press to take it back`} onClick={() => choose({ origin: "" })}>
            {draft.origin.split("/").at(-1)} <span aria-hidden="true">×</span>
          </button>
        </div>
      )}
      <label>
        <span className="note">sort by</span>
        <select value={draft.sort} onChange={(event) => choose({ sort: event.target.value as Search["sort"] })}>
          {SORTS.map((sort) => (
            <option key={sort}>{sort}</option>
          ))}
        </select>
      </label>
      <Button primary type="submit">
        Search
      </Button>
    </form>
  );
}

interface DayFieldProps {
  name: "since" | "until";
  value: string;
  choose: (value: string) => void;
}

/** A day; a link may name an exact moment, which is then shown as such and can be taken back. */
function DayField({ name, value, choose }: DayFieldProps) {
  if (value.includes("T")) {
    return (
      <div className="field-moment">
        <span className="note">{name}</span>
        <button type="button" className="button" title={`${format.utc(value)}: press to take it back`} onClick={() => choose("")}>
          {format.clock(value)} <span aria-hidden="true">×</span>
        </button>
      </div>
    );
  }
  return (
    <label>
      <span className="note">{name}</span>
      <input type="date" value={value} onChange={(event) => choose(event.target.value)} />
    </label>
  );
}

function found(posts: Posts): string {
  const number = format.whole(posts.items.length);
  const more = posts.items.length >= posts.limit ? "the first " : "";
  const version = posts.lake_version === null ? "" : ` · lake version ${format.whole(posts.lake_version)}`;
  return `${more}${number} in ${posts.seconds.toFixed(2)} s${version}`;
}

function Results({ posts, search }: { posts: Posts; search: Search }) {
  const now = useStatus().data?.clock ?? Date.now();
  if (posts.items.length === 0) {
    const filtered = search.q || search.platform || search.since || search.until || search.origin;
    return filtered ? (
      <Empty title="No post matches">Fewer words or a longer time may help. Posts of a stream are here within a minute.</Empty>
    ) : (
      <Empty title="There are no posts yet">
        <p>
          Import a file with <code>groundswell import FILE</code>, or push records to <code>/api/v1/records</code>.
        </p>
      </Empty>
    );
  }
  const more = posts.items.length >= search.limit && search.limit < MOST;
  return (
    <>
      <PostList posts={posts.items.map(lineOfPost)} now={now} label="Posts" />
      {more && (
        <div className="more">
          <Button onClick={() => navigate(`/posts${writeSearch({ ...search, limit: Math.min(MOST, search.limit + PAGE) })}`, { replace: true })}>
            More
          </Button>
        </div>
      )}
    </>
  );
}

/** The "latest" search over all posts, which the platforms themselves do not give. */
export default function Explore() {
  useTitle("Explore");
  const params = useSearch();
  const [search, setSearch] = useState(() => readSearch(params));
  useEffect(() => setSearch(readSearch(params)), [params]);
  const answer = usePosts(search);
  const fault = answer.error instanceof Problem ? answer.error.fault : null;
  const posts = answer.error ? undefined : answer.data;
  return (
    <>
      <header className="page-head">
        <h1>Explore</h1>
      </header>
      <SearchForm search={search} fault={fault} />
      {fault && <QueryFaultNote {...fault} query={fault.query || search.q} id={FAULT_ID} />}
      {answer.error && !fault && <ErrorNote error={answer.error} retry={() => void answer.refetch()} />}
      {!fault && !answer.error && (
        <Card title="Posts" note={posts && found(posts)} className={answer.isPlaceholderData ? "stale" : ""}>
          {posts ? <Results posts={posts} search={search} /> : <Loading rows={8} label="Searching" />}
        </Card>
      )}
    </>
  );
}
