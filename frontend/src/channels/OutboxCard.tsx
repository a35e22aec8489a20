import { useState } from "react";
import { MESSAGE_STATES, useOutbox, useRetryMessage } from "../api/channels";
import type { OutboxMessage } from "../api/types";
import { Button, Card, Empty, Loading, Tag, Time } from "../components/base";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { alertAddress } from "../lib/places";
import { Link } from "../lib/router";

/** States that people look for. */
const SHOWN = ["waiting", "dead", "held", "sent"] as const;

/** What channels were told, what waits for them, and what failed. */
export function OutboxCard() {
  const [state, setState] = useState<string | null>(null);
  const outbox = useOutbox(state);
  const retry = useRetryMessage();
  const counts = outbox.data?.counts ?? {};
  return (
    <Card
      title="Outbox"
      note="every message is kept until it is sent, and sent once as far as the channel allows"
      action={
        <div className="switch" role="group" aria-label="Messages that">
          <button type="button" className="span" aria-pressed={state === null} onClick={() => setState(null)}>
            all
          </button>
          {SHOWN.filter((name) => counts[name] || state === name).map((name) => (
            <button key={name} type="button" className="span" aria-pressed={state === name} onClick={() => setState(name)}>
              {MESSAGE_STATES[name]} <span className="span-count">{format.whole(counts[name] ?? 0)}</span>
            </button>
          ))}
        </div>
      }
    >
      {outbox.error && <ErrorNote error={outbox.error} retry={() => void outbox.refetch()} />}
      {retry.error && <ErrorNote error={retry.error} />}
      {!outbox.data && !outbox.error && <Loading rows={4} label="Loading the outbox" />}
      {outbox.data?.items.length === 0 && <Empty title="No messages">When an alert opens, what each channel is told appears here.</Empty>}
      {outbox.data && outbox.data.items.length > 0 && (
        <ul className="rows" aria-label="Messages">
          {outbox.data.items.map((message) => (
            <Message key={message.id} message={message} onRetry={() => retry.mutate(message.id)} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Message({ message, onRetry }: { message: OutboxMessage; onRetry: () => void }) {
  const tries = message.attempts > 1 ? ` after ${format.whole(message.attempts)} tries` : "";
  const again = message.state === "dead" || message.state === "dropped";
  return (
    <li className="row message">
      <span className="small muted">
        <Time at={message.created_at} />
      </span>
      <div>
        {message.alert ? (
          <Link to={alertAddress(message.alert)} className="quiet" data-row>
            {message.title}
          </Link>
        ) : (
          <span>{message.title}</span>
        )}
        <p className="small muted">
          {message.channel_name} · {message.event}
        </p>
        {message.error && <p className="small channel-trouble">{message.error}</p>}
      </div>
      <span className="message-state">
        <Tag tone={message.state === "dead" ? "caution" : "quiet"}>
          {MESSAGE_STATES[message.state]}
          {tries}
        </Tag>
        {again && <Button onClick={onRetry}>Send again</Button>}
      </span>
    </li>
  );
}
