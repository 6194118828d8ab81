export interface ContentPart {
  readonly type: "text" | "image";
  readonly text?: string;
  readonly file_id?: string;
  readonly url?: string;
}

export interface Message {
  readonly id: string;
  readonly role: "user" | "assistant";
  readonly content: string | readonly ContentPart[];
  readonly model: string | null;
  readonly provider: string | null;
  readonly reasoning: string;
  readonly status: "complete" | "streaming" | "stopped" | "failed";
  readonly parent_id: string | null;
  readonly active: boolean;
  readonly tokens_input: number | null;
  readonly tokens_output: number | null;
  readonly cost_usd: string | null;
  readonly unpriced: boolean;
  readonly latency_ms: number | null;
  readonly request_id: string | null;
  readonly error: string | null;
  readonly created_at: string;
}

export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly model: string;
  readonly system_prompt: string;
  readonly parent_id: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly messages: number;
}

export interface WholeConversation extends Omit<Conversation, "messages"> {
  readonly messages: readonly Message[];
}

export interface Model {
  readonly id: string;
  readonly provider: string | null;
  readonly context_window: number | null;
  readonly capabilities: readonly string[];
  readonly pricing: Readonly<Record<string, string>> | null;
}

export interface Template {
  readonly id: string;
  readonly name: string;
  readonly content: string;
  readonly system: boolean;
  readonly fields: readonly string[];
}

export interface Totals {
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: string;
  readonly unpriced_requests: number;
}

export const textOf = (message: Message): string =>
  typeof message.content === "string"
    ? message.content
    : message.content
        .filter((part) => part.type === "text")
        .map((part) => part.text ?? "")
        .join("\n\n");

export const picturesOf = (message: Message): readonly ContentPart[] =>
  typeof message.content === "string" ? [] : message.content.filter((part) => part.type === "image");
