import { useState } from "react";
import { useChannelKinds, useChannels } from "../api/channels";
import { Button, Card, Empty, Loading } from "../components/base";
import { ErrorNote } from "../components/states";
import { ChannelForm } from "../channels/ChannelForm";
import { ChannelRow } from "../channels/ChannelRows";
import { OutboxCard } from "../channels/OutboxCard";
import * as format from "../lib/format";
import { useTitle } from "../lib/title";

/** Where people are told of alerts: the channels, how they do, and what they were told. */
export default function Channels() {
  useTitle("Channels");
  const channels = useChannels();
  const kinds = useChannelKinds();
  const [adding, setAdding] = useState(false);
  const failing = channels.data?.items.filter((channel) => channel.state === "fails").length ?? 0;
  const items = channels.data?.items ?? [];
  return (
    <>
      <header className="page-head">
        <h1>Channels</h1>
        <p className="muted">where people are told of alerts</p>
        <Button primary disabled={!kinds.data} onClick={() => setAdding(true)}>
          New channel
        </Button>
      </header>
      {failing > 0 && (
        <p className="banner banner-caution" role="status">
          <strong>{failing === 1 ? "A channel fails." : `${format.whole(failing)} channels fail.`}</strong> What they should say is kept and tried again.
        </p>
      )}
      <Card title="Channels" note={channels.data && `${format.whole(items.length)} in force`}>
        {channels.error && <ErrorNote error={channels.error} retry={() => void channels.refetch()} />}
        {kinds.error && <ErrorNote error={kinds.error} retry={() => void kinds.refetch()} />}
        {(!channels.data || !kinds.data) && !channels.error && !kinds.error && <Loading rows={3} label="Loading channels" />}
        {channels.data && items.length === 0 && (
          <Empty title="Nobody is told yet">
            Alerts stand on this page. A channel sends them on: to a webhook, Slack, Discord, by e-mail; a command or a file at the command line.
          </Empty>
        )}
        {kinds.data && items.length > 0 && (
          <ul className="rows">
            {items.map((channel) => (
              <ChannelRow key={channel.id} channel={channel} channels={items} kinds={kinds.data} />
            ))}
          </ul>
        )}
      </Card>
      <OutboxCard />
      {adding && kinds.data && <ChannelForm kinds={kinds.data} channels={items} onClose={() => setAdding(false)} />}
    </>
  );
}
