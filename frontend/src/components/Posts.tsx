import { useState } from "react";
import type { EvidencePost, Post } from "../api/types";
import * as format from "../lib/format";
import { Tag, Time } from "./base";
import { PostHistory } from "./PostHistory";

/** What a row of posts shows, of a search or of an alert's evidence. */
export interface PostLine {
  key: string;
  platform: string;
  url: string | null;
  author: string | null;
  followers: number | null;
  createdAt: string | null;
  text: string | null;
  likes: number | null;
  views: number | null;
  /** Further facts of the opened row, in order. */
  facts: [string, string][];
  hashtags: string[];
  /** The platform's own id, where its history can be asked for. */
  id?: string | null;
  /** A state worth a tag: copies, share. */
  tag?: string;
}

const PLATFORM_NAMES: Record<string, string> = {
  tiktok: "TikTok",
  youtube: "YouTube",
  instagram: "Instagram",
  facebook: "Facebook",
  x: "X",
  bluesky: "Bluesky",
  reddit: "Reddit",
  mastodon: "Mastodon",
  unknown: "platform not known",
};

export const PLATFORMS = Object.keys(PLATFORM_NAMES);

export function platformName(platform: string): string {
  return PLATFORM_NAMES[platform] ?? platform;
}

function known(facts: [string, string | null][]): [string, string][] {
  return facts.filter((fact): fact is [string, string] => fact[1] !== null && fact[1] !== format.MISSING);
}

export function lineOfPost(post: Post, index: number): PostLine {
  const per = post.engagement_per ? ` per ${post.engagement_per}` : "";
  return {
    key: `${post.platform} ${post.post_id ?? index}`,
    platform: post.platform,
    id: post.post_id,
    url: post.url,
    author: post.author_name,
    followers: post.followers,
    createdAt: post.created_at,
    text: post.text,
    likes: post.likes,
    views: post.views,
    hashtags: post.hashtags ?? [],
    facts: known([
      ["comments", format.whole(post.comments)],
      ["shares", format.whole(post.shares)],
      ["saves", format.whole(post.saves)],
      ["engagement", post.engagement === null ? null : format.percent(post.engagement) + per],
      ["sound", post.music_title],
      ["language", post.lang],
      ["seen", post.observed_at ? format.utc(post.observed_at) : null],
      ["read as", post.layout],
      ["from", post.origin],
    ]),
  };
}

export function lineOfEvidence(post: EvidencePost, index: number): PostLine {
  return {
    key: `${post.platform} ${post.post_id ?? index}`,
    platform: post.platform,
    url: post.url,
    author: post.author,
    followers: post.followers,
    createdAt: post.created_at,
    text: post.text,
    likes: post.likes,
    views: post.views,
    hashtags: [],
    facts: known([
      ["share of the excess", format.percent(post.share)],
      ["nearly the same text", post.copies > 1 ? `${format.whole(post.copies)} posts` : null],
      ["from", post.origin ?? null],
    ]),
    ...(post.copies > 1 ? { tag: `${format.count(post.copies)} copies` } : {}),
  };
}

interface PostListProps {
  posts: readonly PostLine[];
  now?: format.Moment;
  label: string;
}

/** Posts as rows; a row opens to what else is known. */
export function PostList({ posts, now, label }: PostListProps) {
  return (
    <div>
      <div className="post-heads note" aria-hidden="true">
        <span>posted</span>
        <span>author</span>
        <span>text</span>
        <span className="number">likes</span>
        <span className="number">views</span>
      </div>
      <ul className="rows" aria-label={label}>
        {posts.map((post) => (
          <PostRow key={post.key} post={post} {...(now === undefined ? {} : { now })} />
        ))}
      </ul>
    </div>
  );
}

function PostRow({ post, now }: { post: PostLine; now?: format.Moment }) {
  const [open, setOpen] = useState(false);
  const who = post.author ? `@${post.author.replace(/^@/, "")}` : "author not known";
  return (
    <li className="row">
      <button type="button" className="post" aria-expanded={open} data-row onClick={() => setOpen(!open)}>
        <span className="post-time muted">
          <Time at={post.createdAt} {...(now === undefined ? {} : { now })} />
        </span>
        <span className="post-author">
          <span className="strong one-line">{who}</span>
          <span className="small muted one-line">
            {platformName(post.platform)}
            {post.followers !== null && ` · ${format.count(post.followers)} followers`}
          </span>
        </span>
        <span className={open ? "post-text" : "post-text post-text-cut"}>
          {post.text ?? <span className="muted">no text</span>}
          {post.tag && (
            <>
              {" "}
              <Tag>{post.tag}</Tag>
            </>
          )}
        </span>
        <Counter value={post.likes} unit="likes" />
        <Counter value={post.views} unit="views" />
      </button>
      {open && <PostFacts post={post} />}
    </li>
  );
}

function Counter({ value, unit }: { value: number | null; unit: string }) {
  return (
    <span className="post-counter number muted" title={value === null ? `${unit} not known` : `${format.whole(value)} ${unit}`}>
      {format.count(value)}
      <span className="post-unit"> {value === 1 ? unit.slice(0, -1) : unit}</span>
    </span>
  );
}

/** Only web addresses become links: a record may claim anything as its address. */
function webAddress(url: string | null): string | null {
  return url && /^https?:\/\//i.test(url) ? url : null;
}

function PostFacts({ post }: { post: PostLine }) {
  const url = webAddress(post.url);
  return (
    <div className="post-facts">
      {post.hashtags.length > 0 && (
        <p className="tags">
          {post.hashtags.map((tag) => (
            <Tag key={tag}>#{tag}</Tag>
          ))}
        </p>
      )}
      <dl className="facts small">
        {post.facts.map(([name, value]) => (
          <div key={name}>
            <dt className="muted">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {post.id && <PostHistory platform={post.platform} id={post.id} />}
      {url && (
        <a className="text small" href={url} target="_blank" rel="noreferrer noopener">
          Open on {platformName(post.platform)}
        </a>
      )}
    </div>
  );
}
