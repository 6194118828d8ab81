import { expect, test } from "vitest";
import { serverEvents } from "./events";

const BYTES = new TextEncoder().encode(": ping\n\nevent: start\ndata: {}\n\ndata: a\ndata: b\n\nevent: delta\ndata: {\"text\":\"größe 数据\"}\n\n");

test.each([1, 2, 3, 5, 1000])("events are whole when they come in pieces of %d bytes", async (size) => {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (let at = 0; at < BYTES.length; at += size) controller.enqueue(BYTES.slice(at, at + size));
      controller.close();
    },
  });
  const seen = [];
  for await (const one of serverEvents(new Response(body))) seen.push([one.event, one.data]);
  expect(seen).toEqual([["start", "{}"], ["message", "a\nb"], ["delta", '{"text":"größe 数据"}']]);
});
