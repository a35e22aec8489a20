import { useState } from "react";
import { usePauseChannel, useRemoveChannel, useTestChannel } from "../api/channels";
import type { Channel, ChannelKinds } from "../api/types";
import { Button, Tag } from "../components/base";
import { Dialog } from "../components/Dialog";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { ChannelForm } from "./ChannelForm";

const STATES: Record<Channel["state"], string> = { new: "not used yet", works: "works", fails: "fails", paused: "paused" };

function told(channel: Channel): string {
  const whom = channel.trackers === null ? "all trackers" : channel.trackers.map((tracker) => tracker.name).join(", ");
  const rare = channel.least_days ? `, at most once in ${format.whole(channel.least_days)} days` : "";
  const quiet = channel.quiet ? `, quiet ${channel.quiet.start}–${channel.quiet.end}` : "";
  return `${whom}${rare}${quiet}`;
}

function counts(channel: Channel): string {
  const parts: string[] = [];
  if (channel.waiting) parts.push(`${format.whole(channel.waiting)} waiting`);
  if (channel.held) parts.push(`${format.whole(channel.held)} held until the quiet hours end`);
  if (channel.dead) parts.push(`${format.whole(channel.dead)} given up`);
  parts.push(channel.sent_at ? `last sent ${format.clock(channel.sent_at)}` : "nothing sent yet");
  return parts.join(" · ");
}

interface ChannelRowProps {
  channel: Channel;
  channels: readonly Channel[];
  kinds: ChannelKinds;
}

/** One channel: where it leads, how it does, and what can be done with it. */
export function ChannelRow({ channel, channels, kinds }: ChannelRowProps) {
  const [open, setOpen] = useState<"change" | "remove" | null>(null);
  const test = useTestChannel(channel.id);
  const pause = usePauseChannel(channel.id);
  const missing = channel.secrets.filter((secret) => !secret.set);
  const kind = kinds.items.find((each) => each.kind === channel.kind);
  return (
    <li className="row channel">
      <div className="channel-name">
        <p>
          <span className="strong">{channel.name}</span> <Tag tone={channel.state === "fails" ? "caution" : "quiet"}>{STATES[channel.state]}</Tag>
        </p>
        <p className="small muted">
          {kind?.label ?? channel.kind} · {channel.target}
        </p>
        <p className="small muted">{told(channel)}</p>
        <p className="small muted">{counts(channel)}</p>
      </div>
      <div className="channel-acts">
        <Button disabled={test.isPending} onClick={() => test.mutate()}>
          {test.isPending ? "Testing…" : "Test"}
        </Button>
        <Button onClick={() => setOpen("change")}>Change</Button>
        <Button disabled={pause.isPending} onClick={() => pause.mutate(channel.state !== "paused")}>
          {channel.state === "paused" ? "Resume" : "Pause"}
        </Button>
        <Button onClick={() => setOpen("remove")}>Remove</Button>
      </div>
      <div className="channel-says">
        {missing.map((secret) => (
          <p key={secret.name} className="channel-trouble small">
            The server has no secret {secret.name}: set {secret.variable} in its environment.
          </p>
        ))}
        {channel.trouble && (
          <p className="channel-trouble small">
            {channel.trouble}
            {channel.trouble_since && `, since ${format.clock(channel.trouble_since)}`}
            {channel.retry_at && `; tried again ${format.clock(channel.retry_at)}`}
          </p>
        )}
        {test.error && <ErrorNote error={test.error} />}
        {test.data && (
          <p className={test.data.ok ? "small good" : "channel-trouble small"} role="status">
            {test.data.ok ? `The test message was sent, in ${test.data.seconds.toFixed(1)} s.` : `${test.data.error}. ${test.data.hint ?? ""}`}
          </p>
        )}
        {pause.error && <ErrorNote error={pause.error} />}
      </div>
      {open === "change" && <ChannelForm kinds={kinds} channels={channels} channel={channel} onClose={() => setOpen(null)} />}
      {open === "remove" && <Removal channel={channel} onClose={() => setOpen(null)} />}
    </li>
  );
}

function Removal({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const remove = useRemoveChannel();
  return (
    <Dialog title={`Remove ${channel.name}?`} onClose={onClose}>
      <p className="muted dialog-lead">Nothing is sent on it any more; what waits for it is dropped.</p>
      {remove.error && <ErrorNote error={remove.error} />}
      <div className="form-actions">
        <Button onClick={onClose}>Keep it</Button>
        <Button primary disabled={remove.isPending} onClick={() => remove.mutate(channel.id, { onSuccess: onClose })}>
          Remove
        </Button>
      </div>
    </Dialog>
  );
}
