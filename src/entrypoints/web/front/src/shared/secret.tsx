import { useState } from "preact/hooks";
import { gatewayAddress } from "./base-path";

/** How clients are told of the gateway and a key: a name, and the text for it. */
export const SNIPPETS: readonly (readonly [string, (key: string) => string])[] = [
  ["curl", (key) => `curl ${gatewayAddress()}/v1/chat/completions \\\n  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\\n  -d '{"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}'`],
  ["Python", (key) => `from openai import OpenAI\n\nclient = OpenAI(base_url="${gatewayAddress()}/v1", api_key="${key}")\nanswer = client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "Say hello."}])\nprint(answer.choices[0].message.content)`],
  ["TypeScript", (key) => `import OpenAI from "openai";\n\nconst client = new OpenAI({ baseURL: "${gatewayAddress()}/v1", apiKey: "${key}" });\nconst answer = await client.chat.completions.create({ model: "auto", messages: [{ role: "user", content: "Say hello." }] });\nconsole.log(answer.choices[0]?.message.content);`],
  ["Claude Code", (key) => `export ANTHROPIC_BASE_URL=${gatewayAddress()}\nexport ANTHROPIC_AUTH_TOKEN=${key}\nclaude`],
  ["Codex", (key) => `# ~/.codex/config.toml\nmodel_provider = "omg"\n\n[model_providers.omg]\nname = "omg"\nbase_url = "${gatewayAddress()}/v1"\nenv_key = "OMG_KEY"\nwire_api = "responses"\n\n# then: export OMG_KEY=${key}`],
]; // prettier-ignore

/** The secret, this once, and how a client uses it. */
export function Shown({ secret }: { readonly secret: string }) {
  const [at, setAt] = useState(0);
  const text = SNIPPETS[at]![1](secret);
  return (
    <>
      <p role="status">This is shown once. Only its digest is kept.</p>
      <pre class="secret" tabIndex={0}>{secret}</pre>
      <p class="buttons"><button type="button" class="btn primary" onClick={() => void navigator.clipboard.writeText(secret)}>Copy key</button></p>
      <h3>Use it</h3>
      <div class="segments" role="group" aria-label="Client">{SNIPPETS.map(([name], i) => <button key={name} type="button" aria-pressed={i === at} onClick={() => setAt(i)}>{name}</button>)}</div>
      <pre class="snippet" tabIndex={0}>{text}</pre>
      <p class="buttons"><button type="button" class="btn" onClick={() => void navigator.clipboard.writeText(text)}>Copy snippet</button></p>
    </>
  );
}
