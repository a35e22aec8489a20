import { type FormEvent, useState } from "react";
import { useComment } from "../api/alerts";
import { MESSAGE_STATES, useAlertMessages } from "../api/channels";
import type { Alert, AlertEvent, OutboxMessage } from "../api/types";
import { VERDICTS } from "../components/AlertList";
import { Button, Card, Time } from "../components/base";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { useStore } from "../lib/store";
import { setWho, who } from "../lib/who";

const PHASES: Record<Alert["phase"], string> = {
  growing: "opened, growing",
  peak: "at its peak",
  fading: "fading",
  closed: "over",
};

const TOLD: Partial<Record<OutboxMessage["event"], string>> = { opened: "opened", updated: "goes on", closed: "is over" };

interface Line {
  key: string;
  at: string;
  who: string | null;
  says: string;
  text: string | null;
}

function inWords(event: AlertEvent): string {
  switch (event.kind) {
    case "acknowledged":
      return "has seen it";
    case "reopened":
      return "took the acknowledgement back";
    case "snoozed":
      return `wants silence until ${event.until ? format.clock(event.until, event.at) : "later"}`;
    case "woken":
      return "lets it speak again";
    case "commented":
      return "says";
    case "verdict":
      return event.verdict ? `judges: ${VERDICTS[event.verdict].toLowerCase()}` : "took the verdict back";
  }
}

/** What happened to the alert, whom it was told, and what people did with it, oldest first. */
function linesOf(alert: Alert, messages: readonly OutboxMessage[]): Line[] {
  const course = (alert.evidence.course ?? []).map(({ at, phase }) => ({
    key: `${at} ${phase}`,
    at,
    who: null,
    says: PHASES[phase],
    text: null,
  }));
  const done = (alert.events ?? []).map((event) => ({
    key: `${event.at} ${event.kind}`,
    at: event.at,
    who: event.who,
    says: inWords(event),
    text: event.text ?? null,
  }));
  const told = messages.map((message) => ({
    key: message.id,
    at: message.ended_at ?? message.created_at,
    who: message.channel_name,
    says: `is told that it ${TOLD[message.event] ?? message.event}: ${MESSAGE_STATES[message.state]}`,
    text: message.error,
  }));
  return [...course, ...told, ...done].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** The life of an alert, and a place to add to it. */
export function Activity({ alert, now }: { alert: Alert; now: format.Moment }) {
  const messages = useAlertMessages(alert.id).data?.items ?? [];
  const lines = linesOf(alert, messages);
  return (
    <Card title="What happened to it" note="times of phases are the stream's">
      {lines.length > 0 && (
        <ol className="rows activity">
          {lines.map((line) => (
            <li key={line.key} className="row">
              <span className="small muted">
                <Time at={line.at} now={now} />
              </span>
              <div>
                <p>
                  {line.who && <span className="strong">{line.who} </span>}
                  {line.says}
                </p>
                {line.text && <p className="comment">{line.text}</p>}
              </div>
            </li>
          ))}
        </ol>
      )}
      <CommentForm alert={alert} />
    </Card>
  );
}

function CommentForm({ alert }: { alert: Alert }) {
  const [text, setText] = useState("");
  const name = useStore(who);
  const comment = useComment(alert.id);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) comment.mutate(text.trim(), { onSuccess: () => setText("") });
  };
  return (
    <form className="comment-form" onSubmit={submit}>
      <label className="small">
        <span>Your name</span>
        <input value={name} maxLength={100} autoComplete="name" placeholder="optional" onChange={(event) => setWho(event.target.value)} />
      </label>
      <label className="small comment-text">
        <span>Comment</span>
        <input value={text} maxLength={4000} autoComplete="off" placeholder="What do you know about it?" onChange={(event) => setText(event.target.value)} />
      </label>
      <Button type="submit" disabled={!text.trim() || comment.isPending}>
        {comment.isPending ? "Adding…" : "Add"}
      </Button>
      {comment.error && <ErrorNote error={comment.error} />}
    </form>
  );
}
