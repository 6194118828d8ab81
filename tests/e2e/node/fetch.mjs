// What Node's own fetch gets: `node fetch.mjs URL KEY` prints one JSON object, each call's name with what came.
const [url, key] = process.argv.slice(2);
const wrong = "sk-omg-wrong-wrong-wrong";

const chat = (text, more = {}) =>
  JSON.stringify({ model: "demo", messages: [{ role: "user", content: text }], ...more });

async function call(key, body, options = {}) {
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body,
      ...options,
    });
    const lines = (await answer.text()).split("\n").filter((line) => line !== "");
    return [answer.status, lines.at(-1)];
  } catch (error) {
    return [0, `${error} ${error.cause}`];
  }
}

const streamed = (text) => new Blob([chat(text)]).stream();
const found = {};
found["plain"] = await call(key, chat("hi"));
found["again"] = await call(key, chat("hi"));
found["stream"] = await call(key, chat("hi", { stream: true }));
found["chunked"] = await call(key, streamed("hi"), { duplex: "half" });
found["large"] = await call(key, chat("x".repeat(1_000_000)));
found["wrong key"] = await call(wrong, chat("hi"));
found["wrong key, large"] = await call(wrong, chat("x".repeat(8_000_000)));
found["wrong key, chunked"] = await call(wrong, streamed("x".repeat(1_000_000)), { duplex: "half" });
found["too large"] = await call(key, chat("x".repeat(34_000_000)));
found["after that"] = await call(key, chat("hi"));
const many = await Promise.all(Array.from({ length: 20 }, () => call(wrong, chat("x".repeat(2_000_000)))));
found["many at once"] = [many.every(([status]) => status === 401) ? 401 : 0, JSON.stringify(many[0])];
console.log(JSON.stringify(found));
