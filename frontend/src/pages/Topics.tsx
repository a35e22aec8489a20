import { useState } from "react";
import { type TopicState, useTopics } from "../api/topics";
import { Card, Empty, Loading } from "../components/base";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { useTitle } from "../lib/title";
import { TopicRows } from "../topics/TopicRows";

const STATES: readonly [TopicState, string][] = [
  ["open", "rising now"],
  ["closed", "over"],
  ["all", "all"],
];

/** Everything that rose in the stream without a tracker: now and lately. */
export default function Topics() {
  useTitle("Topics");
  const [state, setState] = useState<TopicState>("open");
  const topics = useTopics(state);
  const items = topics.data?.items ?? [];
  return (
    <>
      <header className="page-head">
        <h1>Topics</h1>
        <p className="muted">hashtags and words that suddenly many people use, without a tracker</p>
      </header>
      <Card
        title="Emerging"
        note={topics.data && `${format.whole(topics.data.open)} open · by rarity × reach · authors = distinct authors in its rarest window`}
        action={
          <div className="switch" role="group" aria-label="Topics that are">
            {STATES.map(([value, name]) => (
              <button key={value} type="button" className="span" aria-pressed={state === value} onClick={() => setState(value)}>
                {name}
              </button>
            ))}
          </div>
        }
      >
        {topics.error && <ErrorNote error={topics.error} retry={() => void topics.refetch()} />}
        {!topics.data && !topics.error && <Loading rows={6} label="Loading topics" />}
        {topics.data && items.length === 0 && (
          <Empty title={state === "closed" ? "No topic is over" : "Nothing rises"}>
            What many people suddenly write appears here a few minutes later, ranked by how rare that is and how far it reaches.
          </Empty>
        )}
        {items.length > 0 && <TopicRows topics={items} />}
      </Card>
    </>
  );
}
