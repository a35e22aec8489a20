import { Problem } from "../api/client";
import { useStatus } from "../api/queries";
import { useTopic } from "../api/topics";
import type { Driver, Topic, Window } from "../api/types";
import { ButtonLink, Card, Empty, Loading, Tag } from "../components/base";
import { type Bar, DriverBars } from "../components/DriverBars";
import { lineOfEvidence, platformName, PostList } from "../components/Posts";
import { SeriesChart } from "../components/SeriesChart";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { newTrackerAddress, trackerAddress } from "../lib/places";
import { exploreAddress, narrowed, quoted, windowAddress } from "../lib/queryState";
import { Link, navigate } from "../lib/router";
import { useTitle } from "../lib/title";

/** The topic's windows as a chart draws them: what is expected is a line's width of a band. */
function windowsOf(topic: Topic): Window[] {
  return topic.windows.map(({ start, count, expected }) => ({
    start,
    count,
    expected,
    lower: null,
    upper: null,
    return_days: null,
    platform_ratio: null,
    state: Date.parse(start) >= Date.parse(topic.started_at) ? "unusual" : "usual",
    late: 0,
  }));
}

function age(topic: Topic, now: format.Moment): string {
  const lasted = format.duration(format.secondsBetween(topic.opened_at, topic.closed_at ?? now));
  return topic.closed_at ? `over after ${lasted}` : `open ${lasted}, ${topic.phase}`;
}

function Sentence({ topic, now }: { topic: Topic; now: format.Moment }) {
  return (
    <div className="sentence">
      <h1>{topic.headline}</h1>
      <p className="muted">
        {format.counted(topic.observed, "authors")} in {format.windowSpan(topic.window_s)} against{" "}
        {topic.ratio === null ? "hardly any" : format.expectation(topic.expected)} expected · {format.onceIn(topic.return_days)} somewhere in
        this stream · {age(topic, now)}
      </p>
    </div>
  );
}

function Terms({ topic }: { topic: Topic }) {
  return (
    <Card title="What is in it" note="words and hashtags that rise together">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">term</th>
            <th scope="col" className="number">
              expected
            </th>
            <th scope="col" className="number">
              authors
            </th>
            <th scope="col" className="number">
              how rare
            </th>
          </tr>
        </thead>
        <tbody>
          {topic.terms.map((term) => (
            <tr key={term.term}>
              <td>
                <Link className="quiet strong" data-row to={exploreAddress({ q: term.kind === "hashtag" ? term.term : quoted(term.term) })}>
                  {term.term}
                </Link>
                {term.is_new && <span className="note"> new here</span>}
              </td>
              <td className="number">{format.expectation(term.expected)}</td>
              <td className="number">{format.whole(term.observed)}</td>
              <td className="number">{format.rarity(term.return_days)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Sees({ topic }: { topic: Topic }) {
  return (
    <Card title="Who sees it">
      {topic.covered_by.length === 0 ? (
        <p className="muted">No tracker does. Make one of it to be told when it goes on.</p>
      ) : (
        <ul className="rows">
          {topic.covered_by.map((tracker) => (
            <li key={tracker.id} className="row sees">
              <Link to={trackerAddress(tracker.id)} className="quiet strong" data-row>
                {tracker.name}
              </Link>
              <span className="number muted" title="of the topic's posts">
                {format.percent(tracker.share)}
              </span>
            </li>
          ))}
        </ul>
      )}
      <p className="topic-query">
        <span className="small muted">as a query</span> <code>{topic.query}</code>
      </p>
    </Card>
  );
}

function Behind({ topic }: { topic: Topic }) {
  const author = (driver: Driver): Bar => ({
    key: driver.key,
    label: driver.label,
    share: driver.share,
    base: format.counted(driver.posts, "posts"),
    to: exploreAddress({ q: narrowed(topic.query, `author:${quoted(driver.label.replace(/^@/, ""))}`) }),
  });
  const platforms = topic.platforms.map((each): Bar => ({
    key: each.platform,
    label: platformName(each.platform),
    share: each.share,
    base: format.counted(each.posts, "posts"),
  }));
  return (
    <Card title="What drives it" note={`share of ${format.counted(topic.posts, "posts")} by ${format.counted(topic.authors, "authors")}`}>
      <div className="driver-columns">
        <DriverBars title="Authors" bars={topic.top_authors.slice(0, 5).map(author)} />
        <DriverBars title="Platforms" bars={platforms} />
      </div>
      {topic.words.length > 0 && (
        <p className="words">
          <span className="small muted">Words that came with it</span>
          {topic.words.map((word) => (
            <Link key={word.word} to={exploreAddress({ q: narrowed(topic.query, quoted(word.word)) })} title={format.counted(word.posts, "posts")}>
              <Tag>{word.word}</Tag>
            </Link>
          ))}
        </p>
      )}
    </Card>
  );
}

function Found({ topic }: { topic: Topic }) {
  const now = useStatus().data?.clock ?? topic.updated_at;
  return (
    <>
      <header className="page-head page-head-sentence">
        <Sentence topic={topic} now={now} />
        {topic.covered_by.length === 0 ? (
          <ButtonLink primary to={newTrackerAddress({ query: topic.query, name: topic.label })}>
            Make a tracker of it
          </ButtonLink>
        ) : (
          <ButtonLink to={newTrackerAddress({ query: topic.query, name: topic.label })}>Make a tracker of it</ButtonLink>
        )}
      </header>
      <div className="alert-columns">
        <Card title={`Authors per ${format.windowSpan(topic.spark_s)}`} note={`n = ${format.counted(topic.authors, "authors")}`}>
          <SeriesChart
            label={`Distinct authors per ${format.windowSpan(topic.spark_s)} that write ${topic.label}`}
            windows={windowsOf(topic)}
            windowS={topic.spark_s}
            now={now}
            unit="authors"
            onOpen={(window) => navigate(windowAddress(topic.query, window, topic.spark_s))}
          />
        </Card>
        <Sees topic={topic} />
      </div>
      <div className="card-pair">
        <Terms topic={topic} />
        <Behind topic={topic} />
      </div>
      <Card
        title="Example posts"
        note={
          <Link className="text" to={exploreAddress({ q: topic.query, since: topic.started_at, until: topic.updated_at })}>
            all in Explore
          </Link>
        }
      >
        {topic.examples.length === 0 ? (
          <Empty title="No examples were kept" />
        ) : (
          <PostList posts={topic.examples.map(lineOfEvidence)} now={now} label="Example posts" />
        )}
      </Card>
    </>
  );
}

/** One emerging topic: how it rises, what is in it, who drives it, and the way to a tracker. */
export default function TopicPage({ id }: { id: string }) {
  const answer = useTopic(id);
  const topic = answer.data;
  useTitle(topic?.label ?? "Topic");
  return (
    <>
      <p className="crumbs small muted">
        <Link to="/topics" className="quiet">
          Topics
        </Link>
        {topic && ` / ${topic.label}`}
      </p>
      {topic ? (
        <Found topic={topic} />
      ) : answer.error instanceof Problem && answer.error.status === 404 ? (
        <>
          <h1>No such topic</h1>
          <Empty title="The address names a topic that this home does not have.">
            <ButtonLink to="/topics">To the topics</ButtonLink>
          </Empty>
        </>
      ) : (
        <>
          <h1 className="hidden">Topic</h1>
          {answer.error ? <ErrorNote error={answer.error} retry={() => void answer.refetch()} /> : <Loading rows={8} />}
        </>
      )}
    </>
  );
}
