/**
 * What one connection, and one person's connections together, may ask of a node (AD-5), where an app may raise it.
 *
 * Each is a setting since an app may know better: a bench, a bridge that speaks for many, a kiosk that everybody
 * uses as one. All other limits are the protocol's own and are no settings: both sides count on them.
 */
import { limits } from "@holdfast/protocol";

export interface ConnectionLimits {
  /** Messages a second of one connection, beyond which its socket is not read for a while. */
  readonly messagesPerSecond: number;
  /** Messages at once, after a silence. */
  readonly messagesBurst: number;
  /** Open connections of one person. */
  readonly connectionsPerPrincipal: number;
}

/** AD-5 */
export const defaultConnectionLimits: ConnectionLimits = {
  messagesPerSecond: limits.messagesPerSecond,
  messagesBurst: limits.messagesBurst,
  connectionsPerPrincipal: limits.connectionsPerPrincipalMax,
};
