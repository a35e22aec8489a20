import type { TopicSummary } from "../api/types";
import * as format from "../lib/format";

const WIDTH = 120;
const HEIGHT = 24;

/** Distinct authors per stretch of time as small bars. */
export function TopicSpark({ topic }: { topic: TopicSummary }) {
  const { spark, spark_s: seconds } = topic;
  const most = Math.max(1, ...spark.map((count) => count));
  const step = WIDTH / Math.max(1, spark.length);
  const last = spark.at(-1);
  const says = `${topic.label}: ${format.counted(last, "authors")} in the last ${format.duration(seconds)}, at most ${format.whole(most)}`;
  return (
    <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={says} className="topic-spark">
      {spark.map((count, index) => {
        const height = Math.max(count > 0 ? 1 : 0, (count / most) * HEIGHT);
        return <rect key={index} x={index * step} y={HEIGHT - height} width={Math.max(1, step - 1)} height={height} className="spark-bar" />;
      })}
    </svg>
  );
}
