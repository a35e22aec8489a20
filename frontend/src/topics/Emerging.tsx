import { useTopics } from "../api/topics";
import { Card, Empty, Loading } from "../components/base";
import { ErrorNote } from "../components/states";
import { Link } from "../lib/router";
import { TopicRows } from "./TopicRows";

/** Topics that Live has room for. */
const SHOWN = 6;

/** What rises in the stream without anybody having asked for it. */
export function Emerging() {
  const topics = useTopics("open");
  const items = topics.data?.items ?? [];
  const more = items.length - SHOWN;
  return (
    <Card
      title="Emerging, without a tracker"
      note={
        <>
          rarity × reach, like topics merged ·{" "}
          <Link className="text" to="/topics">
            {more > 0 ? `${more} more` : "all topics"}
          </Link>
        </>
      }
    >
      {topics.error && <ErrorNote error={topics.error} retry={() => void topics.refetch()} />}
      {!topics.data && !topics.error && <Loading rows={3} label="Loading topics" />}
      {topics.data && items.length === 0 && (
        <Empty title="Nothing rises">Hashtags and words that suddenly many people use appear here, whether a tracker knows them or not.</Empty>
      )}
      {items.length > 0 && <TopicRows topics={items.slice(0, SHOWN)} brief />}
    </Card>
  );
}
