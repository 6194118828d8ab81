import type { ComponentChildren } from "preact";
import { LIST } from "../shared/changes";
import { sendJson } from "../shared/http";
import { Confirmed, CopyCurl, Empty, Form, Problem, curl, type Asked } from "../shared/parts";
import { More, useList } from "../shared/list";
import { ofFile, type Owned } from "../shared/owner";
import { known } from "../shared/query";

interface ModelGroup extends Owned {
  readonly name: string;
  readonly patterns: readonly string[];
}

const PATH = "/admin/model-groups?limit=200";

/** Names for lists of models: `@fast` stands for its patterns wherever models are allowed. Then what stands below. */
export function ModelGroups({ children }: { readonly children: ComponentChildren }) {
  const list = useList<ModelGroup>(PATH, (one) => one.name);
  const asks = (form: FormData): Asked => ["POST", "/admin/model-groups", { name: String(form.get("name")), patterns: LIST.read(String(form.get("patterns"))) ?? [] }];
  const add = async (form: FormData): Promise<void> => {
    await sendJson(...asks(form));
    list.reload();
  };
  return (
    <>
    <section class="card" id="model-groups" aria-label="Model groups">
      <div class="head"><h2>Model groups</h2><span class="push" /><CopyCurl command={curl(PATH)} /></div>
      <Problem of={list} />
      {list.data?.length === 0 && <Empty>No group yet. A group is a name for a list of models.</Empty>}
      <ul class="list">
        {list.data?.map((one) => (
          <li key={one.name}>
            <span><b>@{one.name}</b> <code dir="auto">{one.patterns.join(" ")}</code> <a href={`/app/admin/audit?${new URLSearchParams({ object_kind: "model_group", object_id: one.name })}`}>its history</a></span>
            {ofFile(one) ? <small class="quiet">declared by the settings file, so it is changed there</small> : <Confirmed label="Delete group" question={`Deletes @${one.name}; lists that name it allow nothing by it.`} run={async () => { await sendJson("DELETE", `/admin/model-groups/${encodeURIComponent(one.name)}`); list.reload(); }} />}
          </li>
        ))}
      </ul>
      <More of={list} />
      {known(list) && <Form label="Add group" send={add} asks={asks}>
        <label>Name <input name="name" required maxLength={64} autocomplete="off" placeholder="fast" /></label>
        <label>Models <input name="patterns" required maxLength={2000} autocomplete="off" placeholder="groq/* cerebras/*" /><small>Names or patterns, with spaces between.</small></label>
      </Form>}
    </section>
    {known(list) && children}
    </>
  );
}
