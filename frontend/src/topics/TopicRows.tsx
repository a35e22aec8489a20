import type { TopicSummary } from "../api/types";
import { ButtonLink, Tag } from "../components/base";
import * as format from "../lib/format";
import { newTrackerAddress, topicAddress } from "../lib/places";
import { Link } from "../lib/router";
import { TopicSpark } from "./TopicSpark";

/** `usually none` or `4 → 61`: what was expected in a window, and what came. */
export function rise(topic: TopicSummary): string {
  const before = topic.ratio === null ? "0" : format.expectation(topic.expected);
  return `${before} → ${format.count(topic.observed)}`;
}

/** The terms that came with the one that names the topic. */
export function company(topic: TopicSummary): string {
  return topic.terms
    .map((term) => term.term)
    .filter((term) => term !== topic.label)
    .slice(0, 4)
    .join(" ");
}

interface TopicRowsProps {
  topics: readonly TopicSummary[];
  /** Only what fits beside the trackers. */
  brief?: boolean;
}

/** Emerging topics as rows: what it is, what came with it, how it rises, how rare that is, and how far it reaches. */
export function TopicRows({ topics, brief = false }: TopicRowsProps) {
  return (
    <table className="table topics">
      <thead>
        <tr>
          <th scope="col">topic</th>
          <th scope="col" className="topic-company">
            comes with
          </th>
          {!brief && (
            <th scope="col" className="topic-spark-cell">
              authors over time
            </th>
          )}
          <th scope="col" className="number">
            authors
          </th>
          <th scope="col">how rare</th>
          <th scope="col" className="number topic-reach">
            reach
          </th>
          <th scope="col">
            <span className="hidden">tracker</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {topics.map((topic) => (
          <TopicRow key={topic.id} topic={topic} brief={brief} />
        ))}
      </tbody>
    </table>
  );
}

function TopicRow({ topic, brief }: { topic: TopicSummary; brief: boolean }) {
  const over = topic.closed_at !== null;
  return (
    <tr className={over ? "topic-over" : undefined}>
      <td>
        <Link to={topicAddress(topic.id)} className="quiet strong" data-row title={topic.headline}>
          {topic.label}
        </Link>
        {topic.is_new && <span className="note"> new here</span>}
        <span className="note topic-company-below">{company(topic)}</span>
      </td>
      <td className="muted topic-company">{company(topic)}</td>
      {!brief && (
        <td className="topic-spark-cell">
          <TopicSpark topic={topic} />
        </td>
      )}
      <td className="number" title={`${format.expectation(topic.expected)} expected in ${format.windowSpan(topic.window_s)}`}>
        {rise(topic)}
      </td>
      <td>
        <Tag tone={over ? "quiet" : "unusual"}>{format.rarity(topic.return_days)}</Tag>
      </td>
      <td className="number topic-reach" title="followers of the authors of its example posts">
        {format.count(topic.reach)}
      </td>
      <td className="topic-act">
        <Watched topic={topic} />
      </td>
    </tr>
  );
}

/** Who watches it already; else the way to a tracker. */
export function Watched({ topic }: { topic: TopicSummary }) {
  const [first] = topic.covered_by;
  if (first) {
    return (
      <span className="small muted" title={topic.covered_by.map((each) => `${each.name}: ${format.percent(each.share)}`).join("\n")}>
        seen by {first.name}
      </span>
    );
  }
  return <ButtonLink to={newTrackerAddress({ query: topic.query, name: topic.label })}>Track it</ButtonLink>;
}
