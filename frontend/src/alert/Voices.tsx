import type { Alert, Voice } from "../api/types";
import { Card, Tag } from "../components/base";
import * as format from "../lib/format";

function valueOf(voice: Voice, value: number): string {
  if (voice.kind === "share") return format.percent(value);
  return voice.kind === "count" ? format.count(Math.round(value)) : format.expectation(value);
}

/** What was rare, the rarest first: posts, authors, reach, shares, each in the size of window in which it was. */
export function Voices({ alert }: { alert: Alert }) {
  const voices = alert.evidence.voices ?? [];
  if (voices.length < 2 && voices[0]?.signal !== "reach") return null;
  return (
    <Card title="What was rare" note="each signal in the window in which it was rarest">
      <table className="table voices">
        <thead>
          <tr>
            <th scope="col">signal</th>
            <th scope="col" className="voice-window">
              window
            </th>
            <th scope="col" className="number">
              usual
            </th>
            <th scope="col" className="number">
              seen
            </th>
            <th scope="col">how rare</th>
          </tr>
        </thead>
        <tbody>
          {voices.map((voice) => (
            <tr key={`${voice.signal} ${voice.window_s}`}>
              <td>
                {voice.label}
                {voice.direction === "drop" && <span className="muted"> dropped</span>}
              </td>
              <td className="muted voice-window" title={format.utc(voice.window_start)}>
                {voice.window_s > 0 ? format.duration(voice.window_s) : "one post"}
              </td>
              <td className="number muted" title={`expected ${valueOf(voice, voice.expected)}`}>
                {valueOf(voice, voice.lower)}–{valueOf(voice, voice.upper)}
              </td>
              <td className="number strong">{valueOf(voice, voice.observed)}</td>
              <td>
                <Tag tone="unusual" title={`p = ${format.probability(voice.p_value)}`}>
                  {format.rarity(voice.return_days)}
                </Tag>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
