import { useState } from "react";
import type { FieldProfile, MetricOutliers, Profile } from "../api/types";
import { Button, Card, Loading, Tag } from "../components/base";
import { platformName } from "../components/Posts";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { useProfile } from "./queries";

/** How the values are spread, in the figures that say most for their kind. */
function spread(field: FieldProfile): string {
  const { quantiles, top, least, greatest } = field;
  if (field.type === "time" && least && greatest) return `${String(least).slice(0, 10)} to ${String(greatest).slice(0, 10)}`;
  if (quantiles && field.type !== "text") {
    const at = (name: string) => format.count(Math.round(quantiles[name] ?? Number.NaN));
    return `half below ${at("p50")}, 99 % below ${at("p99")}`;
  }
  if (top?.length && field.distinct !== null && field.distinct <= 1000) {
    const most = top.slice(0, 4).map((one) => `${String(one.value)} ${format.percent(one.count / Math.max(1, field.rows))}`);
    return most.join(", ");
  }
  if (quantiles) return `half below ${format.count(Math.round(quantiles["p50"] ?? 0))} ${field.unit ?? ""}`;
  return "";
}

function Bars({ field }: { field: FieldProfile }) {
  const bars = field.histogram;
  if (!bars || bars.length < 2) return null;
  const top = Math.max(1, ...bars.map((bar) => bar.count));
  const step = 120 / bars.length;
  return (
    <svg width="120" height="20" viewBox="0 0 120 20" aria-hidden="true">
      {bars.map((bar, index) => {
        const height = bar.count ? Math.max(1, (bar.count / top) * 19) : 0;
        return <rect key={index} x={index * step} width={Math.max(0.5, step - 0.75)} y={20 - height} height={height} className="bar-stored" />;
      })}
    </svg>
  );
}

function FieldRow({ field }: { field: FieldProfile }) {
  const filled = field.missing_share === null ? null : 1 - field.missing_share;
  return (
    <li className="row profile-row">
      <span className="strong">{field.field}</span>
      <span className="number" title={`${format.whole(field.missing)} of ${format.whole(field.rows)} missing`}>
        {format.percent(filled)}
      </span>
      <span className="profile-bars">
        <Bars field={field} />
      </span>
      <span className="muted one-line">{spread(field)}</span>
    </li>
  );
}

const RULES: Record<string, string> = {
  robust_z: "robust z of the logarithm",
  iqr: "IQR",
  iqr_log: "IQR of the logarithm",
};

function Outliers({ outliers }: { outliers: MetricOutliers[] }) {
  const found = outliers.filter((one) => one.low + one.high > 0);
  if (found.length === 0) return <p className="muted">No value stands out by the rule.</p>;
  return (
    <ul className="profile-list">
      {found.map((one) => (
        <li key={`${one.platform} ${one.metric}`}>
          <span className="strong">
            {platformName(one.platform)} {one.metric}
          </span>
          : {format.whole(one.low + one.high)} of {format.whole(one.values)} outside {format.count(one.lower)} to{" "}
          {format.count(one.upper)}{" "}
          <span className="muted">
            ({RULES[one.rule] ?? one.rule}, beyond {one.limit})
          </span>
        </li>
      ))}
    </ul>
  );
}

function Found({ profile }: { profile: Profile }) {
  const fields = profile.fields.filter((field) => field.missing < field.rows);
  const empty = profile.fields.filter((field) => field.missing === field.rows).map((field) => field.field);
  const unlikely = profile.unlikely.filter((check) => check.count > 0);
  return (
    <>
      <div className="profile-row profile-heads note" aria-hidden="true">
        <span>field</span>
        <span className="number">filled</span>
        <span className="profile-bars">spread</span>
        <span />
      </div>
      <ul className="rows profile-rows" aria-label="Fields">
        {fields.map((field) => (
          <FieldRow key={field.field} field={field} />
        ))}
      </ul>
      {empty.length > 0 && <p className="small muted card-foot">Never filled: {empty.join(", ")}.</p>}
      <h3 className="profile-head">Outliers, marked and never removed</h3>
      <Outliers outliers={profile.outliers} />
      <h3 className="profile-head">Unlikely values</h3>
      {unlikely.length === 0 ? (
        <p className="muted">None of {format.counted(profile.unlikely.length, "checks")} found any.</p>
      ) : (
        <ul className="profile-list">
          {unlikely.map((check) => (
            <li key={check.check}>
              <Tag>{format.count(check.count)}</Tag> {check.meaning}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** What the fields of the posts hold; read only when somebody wants it, because it reads them all. */
export function ProfileCard({ posts }: { posts: number }) {
  const [asked, setAsked] = useState(false);
  const [platform, setPlatform] = useState("");
  const all = useProfile("", asked);
  const one = useProfile(platform, asked && platform !== "");
  const shown = platform ? one : all;
  const platforms = Object.keys(all.data?.platforms ?? {});
  const note = shown.data ? `${format.whole(shown.data.rows)} posts, each by its latest observation` : "missing values, spread, outliers";
  return (
    <Card title="What the fields hold" note={note} className={shown.isPlaceholderData ? "stale" : ""}>
      {!asked ? (
        <p className="line-up">
          <Button onClick={() => setAsked(true)}>Profile the posts</Button>
          <span className="small muted">reads all {format.count(posts)} of them once</span>
        </p>
      ) : (
        <>
          {platforms.length > 1 && (
            <label className="held-filter">
              <span className="hidden">platform</span>
              <select value={platform} onChange={(event) => setPlatform(event.target.value)}>
                <option value="">all platforms</option>
                {platforms.map((name) => (
                  <option key={name} value={name}>
                    {platformName(name)} ({format.whole(all.data?.platforms[name])})
                  </option>
                ))}
              </select>
            </label>
          )}
          {shown.error ? (
            <ErrorNote error={shown.error} retry={() => void shown.refetch()} />
          ) : shown.data ? (
            <Found profile={shown.data} />
          ) : (
            <Loading rows={6} label="Reading the posts" />
          )}
        </>
      )}
    </Card>
  );
}
