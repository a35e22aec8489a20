import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, send } from "./client";
import type { ChangedChannel, Channel, ChannelKinds, ChannelPreview, ChannelPreviewRequest, Channels, NewChannel, Outbox, OutboxMessage, SentTest } from "./types";

const KEYS = {
  channels: ["channels"],
  kinds: ["channel-kinds"],
  outbox: ["outbox"],
} as const;

/** How often the page looks at what becomes of messages, milliseconds. */
const LOOK_MS = 5_000;

const path = (id: string) => `/channels/${encodeURIComponent(id)}`;

export function useChannels() {
  return useQuery({ queryKey: KEYS.channels, queryFn: () => get<Channels>("/channels"), staleTime: 0, refetchInterval: LOOK_MS });
}

export function useChannelKinds() {
  return useQuery({ queryKey: KEYS.kinds, queryFn: () => get<ChannelKinds>("/channels/kinds") });
}

export function useOutbox(state: string | null) {
  return useQuery({
    queryKey: [...KEYS.outbox, state],
    queryFn: () => get<Outbox>("/channels/outbox", { state, limit: 50 }),
    staleTime: 0,
    refetchInterval: LOOK_MS,
  });
}

/** Who was told of an alert, and who will be. */
export function useAlertMessages(alert: string) {
  return useQuery({
    queryKey: [...KEYS.outbox, "of", alert],
    queryFn: () => get<Outbox>("/channels/outbox", { alert, limit: 50 }),
    staleTime: 0,
    refetchInterval: LOOK_MS,
  });
}

/** What became of a message, in words. */
export const MESSAGE_STATES: Record<OutboxMessage["state"], string> = {
  waiting: "waits",
  sending: "is being sent",
  sent: "sent",
  held: "held in quiet hours",
  digested: "told with others",
  superseded: "overtaken by a later one",
  dropped: "dropped",
  dead: "given up",
};

/** What changes a channel makes both lists old. */
function useStaleLists() {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: KEYS.channels });
    void client.invalidateQueries({ queryKey: KEYS.outbox });
  };
}

export function useAddChannel() {
  const onSuccess = useStaleLists();
  return useMutation({ mutationFn: (channel: NewChannel) => send<Channel>("POST", "/channels", channel), onSuccess });
}

export function useChangeChannel(id: string) {
  const onSuccess = useStaleLists();
  return useMutation({ mutationFn: (channel: ChangedChannel) => send<Channel>("PUT", path(id), channel), onSuccess });
}

export function useRemoveChannel() {
  const onSuccess = useStaleLists();
  return useMutation({ mutationFn: (id: string) => send<undefined>("DELETE", path(id)), onSuccess });
}

/** Send a test message now; the answer says what came of it. */
export function useTestChannel(id: string) {
  const onSettled = useStaleLists();
  return useMutation({ mutationFn: () => send<SentTest>("POST", `${path(id)}/test`), onSettled });
}

export function usePauseChannel(id: string) {
  const onSuccess = useStaleLists();
  return useMutation({
    mutationFn: (paused: boolean) => send<Channel>("POST", `${path(id)}/${paused ? "pause" : "resume"}`),
    onSuccess,
  });
}

export function useRetryMessage() {
  const onSuccess = useStaleLists();
  return useMutation({
    mutationFn: (id: string) => send<OutboxMessage>("POST", `/channels/outbox/${encodeURIComponent(id)}/retry`),
    onSuccess,
  });
}

export function usePreview() {
  return useMutation({ mutationFn: (wanted: ChannelPreviewRequest) => send<ChannelPreview>("POST", "/channels/preview", wanted) });
}
