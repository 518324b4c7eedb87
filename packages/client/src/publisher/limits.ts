/** Numbers of what publishes, each with its unit. */

/** One `publish` (PB-1): small enough that answers come between, large enough that envelopes cost nothing. */
export const publishBatchBytesMax = 64 * 1024;
export const publishBatchEventsMax = 1_000;
/** A source that goes on although its producer is not `accepting` is a fault of the program (PB-4). */
export const producerBufferBytesHardMax = 16 * 1024 * 1024;
/** What a publish costs over its event's JSON: key, quotes, keyframe's name. */
export const publishedEventOverheadBytes = 40;
