/** Provider and hooks over a session. No hook opens a socket: only the session does. */
export { forgetDrafts } from "./drafts/index.ts";
export { type HooksFor, hooksFor } from "./hooksFor.ts";
export { HoldfastProvider, useSession } from "./provider.tsx";
export type { ChatMessage } from "./thread/chatMessages.ts";
export { type ConnectionView, useConnection } from "./useConnection.ts";
export { type RequestView, useRequest } from "./useRequest.ts";
export { type SignalOptions, useSignal } from "./useSignal.ts";
export { type StreamOptions, type StreamReducer, type StreamView, useStream } from "./useStream.ts";
export { type PendingMessage, type ThreadOptions, type ThreadView, useThread } from "./useThread.ts";
