import { ServerGone } from "../api/client";
import type { Tracker, Window } from "../api/types";
import { Button, Card, Empty, Loading, Tag, Time } from "../components/base";
import { DriverBars } from "../components/DriverBars";
import { KeyList } from "../components/KeyHelp";
import { overlay } from "../components/overlays";
import { PostList, type PostLine } from "../components/Posts";
import { SeriesChart } from "../components/SeriesChart";
import { ErrorNote, LateBanner, QueryFaultNote } from "../components/states";
import { MultiplesStore } from "../api/multiples";
import { lineOf } from "../lib/line";
import { TrackerRows } from "../components/TrackerRows";
import * as format from "../lib/format";
import { useTitle } from "../lib/title";
import { SAMPLE_UNTIL, sampleTracker, sampleWindows } from "./samples";

const COLOURS: [string, string][] = [
  ["background", "page"],
  ["surface", "cards"],
  ["sunken", "tags"],
  ["line", "borders, rows"],
  ["text", "text"],
  ["muted", "second text"],
  ["faint", "never text to be read"],
  ["series", "what is measured"],
  ["band", "what is usual"],
  ["unusual", "alerts only"],
  ["unusual-fill", "alerts only"],
  ["good", "complete"],
  ["caution", "drift, late, gone"],
  ["category-1", "categories"],
  ["category-2", "categories"],
  ["category-3", "categories"],
  ["category-4", "categories"],
  ["category-5", "others"],
];

const macro = (window: Window | undefined): Window | null =>
  window ? { ...window, state: "macro", platform_ratio: 1.31, count: Math.round((window.expected ?? 0) * 1.31) } : null;

const SETS: [Tracker, Window[]][] = (
  [
    ["“side effects”", sampleWindows("unusual"), null],
    ["pfizer", sampleWindows("usual", 52), null],
    ["#covaxin", sampleWindows("gap", 24), null],
    ["new one", sampleWindows("learning", 16), null],
    ["too few posts", sampleWindows("few"), null],
    ["vaccine -giveaway lang:en", sampleWindows("usual", 44), "macro"],
  ] as const
).map(([name, windows, state]) => {
  const last = windows.at(-1);
  return [sampleTracker(name, state === "macro" ? macro(last) : (last ?? null)), windows];
});

const SAMPLES = new MultiplesStore();
for (const [tracker, windows] of SETS) {
  SAMPLES.put(300, tracker.id, { line: lineOf(windows), last: windows.at(-1) ?? null }, SAMPLE_UNTIL);
}

const POSTS: PostLine[] = [
  {
    key: "1",
    platform: "tiktok",
    url: null,
    author: "dr.mila",
    followers: 412_000,
    createdAt: new Date(SAMPLE_UNTIL - 120_000).toISOString(),
    text: "Let me explain what the agency really said about side effects …",
    likes: 12_400,
    views: 310_200,
    hashtags: ["sideeffects", "vaccinetok"],
    facts: [
      ["comments", "1,204"],
      ["engagement", "5 % per view"],
    ],
    tag: "18 copies",
  },
  {
    key: "2",
    platform: "youtube",
    url: null,
    author: null,
    followers: null,
    createdAt: null,
    text: null,
    likes: null,
    views: 96_000,
    hashtags: [],
    facts: [],
  },
];

const NUMBERS: [string, string][] = [
  ["count", `${format.count(1204)}, ${format.count(412_000)}, ${format.count(2_100_000)}`],
  ["missing", format.count(null)],
  ["ratio", `${format.ratio(1.04)}, ${format.ratio(6.31)}, ${format.ratio(14.2)}`],
  ["share", `${format.percent(0.18)}, ${format.percent(0.003)}`],
  ["rarity", `${format.rarity(140)}, ${format.rarity(1200)}`],
  ["length of time", `${format.duration(2)}, ${format.duration(1080)}, ${format.duration(12_000)}`],
];

function Colours() {
  return (
    <ul className="swatches">
      {COLOURS.map(([name, use]) => (
        <li key={name} className="swatch">
          <i style={{ background: `var(--${name})` }} />
          <span className="small">{name}</span> <span className="note">{use}</span>
        </li>
      ))}
    </ul>
  );
}

function Type() {
  return (
    <div className="stack">
      <p style={{ font: "var(--text-title)" }}>“side effects” is mentioned 6.3 times as often as usual</p>
      <h2>Card title, 13/18 semibold</h2>
      <p>Text is 14 px on 20 px lines; figures are tabular: 1,204 and 8,888.</p>
      <p className="small muted">Second text is 12/16, muted.</p>
      <p className="note">A card's small print is 11/16: n = 9,412 posts in 24 h</p>
      <dl className="facts small">
        {NUMBERS.map(([name, value]) => (
          <div key={name}>
            <dt className="muted">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt className="muted">time</dt>
          <dd>
            <Time at={SAMPLE_UNTIL} now={SAMPLE_UNTIL} />
          </dd>
        </div>
      </dl>
    </div>
  );
}

function Small() {
  return (
    <div className="stack">
      <div className="line-up">
        <Button primary>Primary</Button>
        <Button>Button</Button>
        <Button aria-pressed="true">Pressed</Button>
        <Button disabled>Not now</Button>
      </div>
      <div className="line-up">
        <Tag>usual</Tag>
        <Tag>rises with the platform</Tag>
        <Tag>learning</Tag>
        <Tag>no data</Tag>
        <Tag tone="caution">late</Tag>
        <Tag tone="unusual">1 in 140 days</Tag>
      </div>
      <div className="line-up">
        <Button onClick={() => overlay.set("commands")}>Commands</Button>
        <Button onClick={() => overlay.set("keys")}>Dialog</Button>
      </div>
    </div>
  );
}

/** Every component in every state, and the values that they are made of. */
export default function Design() {
  useTitle("Design");
  const chart = { windowS: 300, now: SAMPLE_UNTIL };
  return (
    <>
      <header className="page-head">
        <h1>Design</h1>
        <p className="muted">all components in all states; the figures are invented</p>
      </header>
      <div className="masonry">
        <Card title="Colours">
          <Colours />
        </Card>
        <Card title="Type, numbers, times">
          <Type />
        </Card>
        <Card title="Buttons, tags, dialogs">
          <Small />
        </Card>
        <Card title="Keys">
          <KeyList />
        </Card>
      </div>
      <Card title="Trackers" note="unusual, usual, a hole, learning, few posts, macro">
        <TrackerRows trackers={SETS.map(([tracker]) => tracker)} windowS={300} mainS={300} store={SAMPLES} />
      </Card>
      <Card title="Posts per 5 minutes" note="an alert">
        <SeriesChart
          label="An alert"
          windows={sampleWindows("unusual")}
          marks={[{ at: sampleWindows("unusual").find((window) => window.state === "unusual")?.start ?? 0, says: "alert opened" }]}
          {...chart}
        />
      </Card>
      <div className="masonry">
        <Card title="A hole" note="hatched, never a line to zero">
          <SeriesChart label="A hole" windows={sampleWindows("gap", 24)} {...chart} />
        </Card>
        <Card title="Learning" note="no band yet">
          <SeriesChart label="Learning" windows={sampleWindows("learning", 16)} {...chart} />
        </Card>
        <Card title="No window yet">
          <SeriesChart label="Nothing" windows={[]} {...chart} />
        </Card>
      </div>
      <Card title="What drives it" note="share of the posts above what was expected">
        <div className="driver-columns">
          <DriverBars
            title="Authors"
            bars={[
              { key: "a", label: "@latenightclips", share: 0.18, base: "38 posts" },
              { key: "b", label: "@dr.mila", share: 0.07, base: "15 posts" },
              { key: "c", label: "182 others", share: 0.75, base: "the other authors" },
            ]}
          />
          <DriverBars title="Hashtags" bars={[{ key: "a", label: "#sideeffects", share: 0.44, base: "93 posts" }]} />
        </div>
      </Card>
      <Card title="Posts" note="known, and as little known as possible">
        <PostList posts={POSTS} now={SAMPLE_UNTIL} label="Sample posts" />
      </Card>
      <div className="masonry">
        <Card title="Loading">
          <Loading />
        </Card>
        <Card title="Empty">
          <Empty title="Nothing is watched yet">
            <p>A tracker is a query whose posts are counted as they come in.</p>
            <Button primary>New tracker</Button>
          </Empty>
        </Card>
        <Card title="Error">
          <ErrorNote error={new ServerGone()} retry={() => undefined} />
        </Card>
        <Card title="A query that does not parse">
          <QueryFaultNote query={'nike AND (boycott OR'} column={21} expected="a word, a phrase or (" />
        </Card>
        <Card title="Late">
          <LateBanner status={{ late_by_s: 180, watermark: new Date(SAMPLE_UNTIL).toISOString() }} />
        </Card>
      </div>
    </>
  );
}
