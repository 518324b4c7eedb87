/** The assistants as the page knows them: a pure fold of the stream `assistants`, by name. */
import type { Assistant, AssistantsEventData, AssistantsSnapshot } from "@holdfast/control/contract";

export type AssistantsState = readonly Assistant[];

export const noAssistants: AssistantsState = [];

export function foldAssistants(
  state: AssistantsState,
  event: { readonly event: string; readonly data: unknown },
): AssistantsState {
  switch (event.event) {
    case "assistant.changed": {
      const { assistant } = event.data as AssistantsEventData["assistant.changed"];
      return byName([...state.filter(({ id }) => id !== assistant.id), assistant]);
    }
    case "assistant.removed": {
      const { assistant } = event.data as AssistantsEventData["assistant.removed"];
      return state.filter(({ id }) => id !== assistant);
    }
    default:
      return state;
  }
}

export function assistantsFromSnapshot(snapshot: Readonly<Record<string, unknown>>): AssistantsState {
  return (snapshot as unknown as AssistantsSnapshot).assistants;
}

const byName = (assistants: readonly Assistant[]): AssistantsState =>
  assistants.toSorted((left, right) => (left.name < right.name ? -1 : 1));
