/** What an assistant is: name, endpoint, model, key, system prompt. A key is only ever written. */
import type { Assistant } from "@holdfast/control/contract";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { problemText } from "../../shared/format/problem.ts";
import { Button } from "../../shared/ui/Button.tsx";

export interface AssistantValues {
  readonly name: string;
  readonly endpoint: string;
  readonly model: string;
  readonly systemPrompt: string;
  /** Empty: the one that is there, if any, stays. */
  readonly key: string;
}

const inputStyle = "w-full rounded-md border border-line-strong bg-raised px-2 py-1 text-text";

export function AssistantForm(props: {
  readonly assistant?: Assistant;
  readonly submitLabel: string;
  readonly pending: boolean;
  readonly problem: unknown;
  readonly onSubmit: (values: AssistantValues) => void;
  readonly onCancel: () => void;
}): ReactNode {
  const { assistant } = props;
  const [values, setValues] = useState<AssistantValues>({
    name: assistant?.name ?? "",
    endpoint: assistant?.endpoint ?? "",
    model: assistant?.model ?? "",
    systemPrompt: assistant?.systemPrompt ?? "",
    key: "",
  });
  const set = (field: keyof AssistantValues) => (value: string) => setValues((now) => ({ ...now, [field]: value }));
  const keyHint =
    assistant?.hasKey === true ? "Empty keeps the one that is there" : "Empty where the endpoint asks for none";
  return (
    <form
      data-testid="assistant-form"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        props.onSubmit(values);
      }}
      className="flex max-w-3xl flex-col gap-3"
    >
      <Field label="Name" value={values.name} onValue={set("name")} isRequired />
      <Field
        label="Endpoint"
        hint="The base address, as https://api.example.com/v1 or http://127.0.0.1:11434/v1"
        type="url"
        value={values.endpoint}
        onValue={set("endpoint")}
        isRequired
      />
      <Field label="Model" value={values.model} onValue={set("model")} isRequired />
      <Field label="Key" hint={keyHint} type="password" value={values.key} onValue={set("key")} />
      <Field label="System prompt" isLong value={values.systemPrompt} onValue={set("systemPrompt")} />
      {props.problem != null && (
        <p role="alert" className="text-sm text-danger">
          {problemText(props.problem)}
        </p>
      )}
      <div className="flex gap-2">
        <Button type="submit" tone="accent" disabled={props.pending} data-testid="assistant-save">
          {props.submitLabel}
        </Button>
        <Button onClick={props.onCancel}>Cancel</Button>
      </div>
    </form>
  );
}

function Field(props: {
  readonly label: string;
  readonly hint?: string;
  readonly type?: "text" | "url" | "password";
  readonly isLong?: boolean;
  readonly isRequired?: boolean;
  readonly value: string;
  readonly onValue: (value: string) => void;
}): ReactNode {
  const id = useId();
  const { label, hint, type = "text", isLong = false, isRequired = false, value, onValue } = props;
  const common = {
    id,
    value,
    required: isRequired,
    autoComplete: "off",
    spellCheck: isLong,
    "data-testid": `assistant-${label.toLowerCase().replace(" ", "-")}`,
    ...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` }),
    className: inputStyle,
  };
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {isLong ? (
        <textarea {...common} rows={4} onChange={(event) => onValue(event.target.value)} />
      ) : (
        // A key is no password of this site: nothing may offer to keep it.
        <input
          {...common}
          type={type}
          autoComplete={type === "password" ? "new-password" : "off"}
          onChange={(event) => onValue(event.target.value)}
        />
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}
