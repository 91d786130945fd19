// What stands in front of everything else: the one question before a destructive act, and the keys.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { shortcuts } from "../shortcuts.ts";
import { useRoom } from "./context.ts";
import { NewCourier } from "./newcourier.tsx";

export function Dialogs() {
  const { desk } = useRoom();
  const done = () => { desk.dialog.value = null; };
  return (
    <>
      {desk.question.value ? <QuestionDialog /> : null}
      {desk.dialog.value === "help" ? <HelpDialog onClose={done} /> : null}
      {desk.dialog.value === "courier" ? <Modal title="New courier" onClose={done}><NewCourier onDone={done} /></Modal> : null}
    </>
  );
}

function Modal({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

function QuestionDialog() {
  const { desk } = useRoom();
  const question = desk.question.value;
  if (!question) return null;
  return (
    <Modal title={question.title} onClose={() => question.answer(null)}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          question.answer(String(new FormData(event.currentTarget).get("reason") ?? ""));
        }}
      >
        <p>{question.detail}</p>
        {question.reasons ? (
          <label>
            Why
            <select name="reason">{question.reasons.map((reason) => <option key={reason}>{reason}</option>)}</select>
          </label>
        ) : null}
        <p class="acts">
          <button type="button" onClick={() => question.answer(null)}>Keep it</button>
          <button type="submit" class="danger filled">{question.verb}</button>
        </p>
      </form>
    </Modal>
  );
}

function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Modal title="Keys" onClose={onClose}>
      <dl class="keys">
        {shortcuts.map(({ keys, does }) => (
          <div key={keys}>
            <dt>{keys.split(" ").map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog" class="acts"><button type="submit">Close</button></form>
    </Modal>
  );
}
