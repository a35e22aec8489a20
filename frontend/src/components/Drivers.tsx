import type { Alert, Copies, Driver, EvidencePost } from "../api/types";
import * as format from "../lib/format";
import { exploreAddress, narrowed, quoted } from "../lib/queryState";
import { Link } from "../lib/router";
import { Card, Tag } from "./base";
import { type Bar, DriverBars } from "./DriverBars";

/** As many bars as a column shows before it says "others". */
const SHOWN = 4;

function barOf(driver: Driver, to?: string): Bar {
  const usual = driver.usual_share;
  const before = usual === null || usual === undefined ? "no history" : `usually in ${format.percent(usual)}`;
  return {
    key: driver.key,
    label: driver.label,
    share: driver.share,
    base: `${format.whole(driver.posts)} posts, ${before}`,
    ...(to ? { to } : {}),
  };
}

function postBar(post: EvidencePost, index: number): Bar {
  const copies = post.copies > 1 ? `${format.whole(post.copies)} posts with nearly this text` : "one post";
  return {
    key: `${post.platform}-${post.post_id ?? index}`,
    label: post.text ? format.shortened(post.text, 60) : "post without text",
    share: post.share,
    base: copies,
  };
}

/** The many that no bar is for, where that is known. */
function others(shown: readonly Bar[], total: number, what: string): Bar[] {
  const rest = total - shown.length;
  const share = 1 - shown.reduce((sum, bar) => sum + bar.share, 0);
  if (rest <= 0 || share <= 0.005) return [];
  return [{ key: "others", label: `${format.whole(rest)} other${rest === 1 ? "" : "s"}`, share, base: `the other ${what}` }];
}

function copiesBar(copies: Copies): Bar {
  return {
    key: copies.key,
    label: copies.text ? format.shortened(copies.text, 60) : "text not kept",
    share: copies.share,
    base: `${format.counted(copies.posts, "posts")} by ${format.counted(copies.authors, "authors")}`,
  };
}

const languageNames = new Intl.DisplayNames("en", { type: "language", fallback: "code" });

function languageName(code: string): string {
  try {
    return languageNames.of(code) ?? code;
  } catch {
    return code; // A platform may write anything as a language.
  }
}

/** ` (known of 61 of 126)` where not every post says it. */
function knownOf(alert: Alert, field: string): string {
  const { known_posts: known, posts_total: total } = alert.evidence;
  const number = known?.[field];
  const read = known?.text ?? total;
  return number === undefined || number >= read ? "" : ` (in ${format.whole(number)} of ${format.counted(read, "posts")})`;
}

function Words({ alert, since, until }: { alert: Alert; since: string; until: string }) {
  const { words } = alert.evidence;
  if (words.length === 0) return null;
  return (
    <p className="words">
      <span className="small muted">Words that came with it</span>
      {words.map((word) => (
        <Link
          key={word.word}
          to={exploreAddress({ q: narrowed(alert.query, quoted(word.word)), since, until })}
          title={`${format.whole(word.posts)} posts; z = ${word.z.toFixed(1)} against this tracker's own past`}
        >
          <Tag>{word.word}</Tag>
        </Link>
      ))}
    </p>
  );
}

/** What the posts above the usual consist of. Every bar leads to its posts. */
export function Drivers({ alert }: { alert: Alert }) {
  const { evidence } = alert;
  const above = Math.max(0, Math.round(evidence.observed - evidence.expected));
  const episode = { since: alert.started_at, until: alert.updated_at };
  const find = (condition: string) => exploreAddress({ q: narrowed(alert.query, condition), ...episode });
  const authors = evidence.authors
    .slice(0, SHOWN - 1)
    .map((driver) => barOf(driver, find(`author:${quoted(driver.label.replace(/^@/, ""))}`)));
  const hashtags = evidence.hashtags
    .slice(0, SHOWN)
    .map((driver) => barOf(driver, find(`#${driver.label.replace(/^#/, "")}`)));
  const posts = evidence.posts.slice(0, SHOWN).map(postBar);
  const sounds = evidence.sounds.slice(0, SHOWN).map((driver) => barOf(driver));
  const domains = (evidence.domains ?? []).slice(0, SHOWN).map((driver) => barOf(driver));
  const languages = (evidence.languages ?? [])
    .slice(0, SHOWN)
    .map((driver) => barOf({ ...driver, label: languageName(driver.label) }, find(`lang:${quoted(driver.key)}`)));
  const copies = (evidence.copies ?? []).slice(0, SHOWN).map(copiesBar);
  const columns: [string, Bar[]][] = [
    ["Posts", posts],
    ["Authors", [...authors, ...others(authors, evidence.authors_total, "authors")]],
    [`Hashtags${knownOf(alert, "hashtags")}`, hashtags],
    ["Nearly the same text", copies],
    [`Linked sites${knownOf(alert, "domains")}`, domains],
    [`Languages${knownOf(alert, "lang")}`, languages],
    [`Sounds${knownOf(alert, "sound")}`, sounds],
  ];
  const filled = columns.filter(([, bars]) => bars.length > 0);
  if (filled.length === 0 && evidence.words.length === 0) return null;
  return (
    <Card title="What drives it" note={`share of the ${format.whole(above)} posts above what was expected`}>
      <div className="driver-columns" data-columns={filled.length}>
        {filled.map(([title, bars]) => (
          <DriverBars key={title} title={title} bars={bars} />
        ))}
      </div>
      <Words alert={alert} {...episode} />
    </Card>
  );
}
