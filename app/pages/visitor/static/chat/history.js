/** Messages of the history as the page's own: GET /messages (contract: endpoints). */

import { Answer } from "../answers/answer.js";
import { Unreachable } from "../client/frontdesk.js";
import { newMessage } from "./thread.js";

export const PAGE = 20;
/** An answer takes no longer than this by far: older messages are not asked for whether they still grow. */
const YOUNG_SECONDS = 3_600;
/** Some two minutes. */
const TRIES = 20;

/** Return the newest messages of a conversation, or those before `firstId`: `{messages, hasMore}`. */
export async function loadMessages(desk, conversationId, firstId = undefined) {
  const query = { conversation_id: conversationId, limit: PAGE, first_id: firstId };
  const page = await desk.get("/messages", query);
  return { messages: page.data.map(messageOf), hasMore: page.has_more };
}

/** Return a message of the page for one of the history. */
export function messageOf(item) {
  const message = newMessage({
    id: item.id,
    parentId: item.parent_message_id || null,
    query: item.query,
    files: (item.message_files ?? []).filter((file) => file.belongs_to !== "assistant"),
    answer: Answer.ofHistory(item),
    createdAt: item.created_at,
    rating: item.feedback?.rating ?? null,
  });
  message.mayGrow = mayGrow(item);
  return message;
}

/** Whether an answer may be under way: the history shows what there is of it, and nothing that ends it. */
function mayGrow(item) {
  if (item.status === "paused") return true;
  if (item.status === "error") return false;
  const ended = item.metadata && Object.keys(item.metadata).length > 0;
  return !ended && Date.now() / 1000 - item.created_at < YOUNG_SECONDS;
}

/**
 * Look for a question that was sent though no answer to the request came: the server may have it. `question`: as
 * `ChatMemory.sending` keeps it. Returns `{conversationId, message}`, or null.
 */
export async function findSent(desk, question) {
  const { conversationId, query } = question;
  const ids = conversationId ? [conversationId] : await newConversations(desk, question);
  for (const id of ids) {
    const { messages } = await loadMessages(desk, id);
    const found = messages.findLast((message) => message.query === query && !question.known.includes(message.id));
    if (found) return { conversationId: id, message: found };
  }
  return null;
}

async function newConversations(desk, { known }) {
  const { data } = await desk.get("/conversations", { limit: 3, sort_by: "-created_at" });
  return data.map(({ id }) => id).filter((id) => !known.includes(id));
}

/** As `findSent`, tried again while the server cannot be reached; null where it has no such question. */
export async function findSentInTime(desk, question) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      return await findSent(desk, question);
    } catch (error) {
      if (!(error instanceof Unreachable)) return null;
      await backOnline(Math.min(500 * 2 ** tries, 8_000));
    }
  }
  return null;
}

/** Take up a question that the page before this one had sent and not heard of. Returns its conversation's id, or null. */
export async function takeUpSent(desk, memory) {
  const question = memory.sending;
  if (!question) return null;
  memory.sending = null;
  try {
    const found = await findSent(desk, question);
    if (found) return found.conversationId;
    memory.keepDraft(question.conversationId, memory.draft(question.conversationId) || question.query);
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
  }
  return null;
}

/** Return what the visitor may ask next; nothing where the app suggests nothing. Suggestions are extra: no error counts. */
export async function suggestedQuestions(desk, app, message) {
  if (!app.parameters.suggested_questions_after_answer?.enabled) return [];
  try {
    return (await desk.get(`/messages/${message.id}/suggested-questions`)).data;
  } catch {
    return [];
  }
}

/** Wait so long, or until the browser says that the network is back. */
function backOnline(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    addEventListener("online", resolve, { once: true });
  });
}
