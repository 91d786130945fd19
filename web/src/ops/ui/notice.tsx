// What just happened, with the way back while there is one.

import { useEffect } from "preact/hooks";
import { useRoom } from "./context.ts";

const stays = 12_000;

export function NoticeBar() {
  const { desk } = useRoom();
  const notice = desk.notice.value;
  useEffect(() => {
    if (notice?.tone !== "done") return;
    const timer = setTimeout(() => { desk.notice.value = null; }, stays);
    return () => clearTimeout(timer);
  }, [desk, notice]);
  return (
    <div class="notice-place" role="status" aria-live="polite">
      {notice ? (
        <p class={`notice is-${notice.tone}`}>
          <span>{notice.text}</span>
          {notice.undo ? (
            <button
              type="button"
              onClick={() => {
                const { undo } = notice;
                desk.notice.value = null;
                void undo?.();
              }}
            >
              Undo
            </button>
          ) : null}
          <button type="button" class="round small" aria-label="Dismiss" onClick={() => { desk.notice.value = null; }}>✕</button>
        </p>
      ) : null}
    </div>
  );
}
