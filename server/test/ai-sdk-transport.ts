import { DefaultChatTransport, type UIMessage } from 'ai';

const textOf = (message?: UIMessage): string =>
  (message?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('');

/** For `useChat`: the id of the chat is the id of the ticket. */
export const createTransport = (serverUrl: string, getToken: () => string | Promise<string>) =>
  new DefaultChatTransport({
    headers: async () => ({
      accept: 'text/event-stream',
      authorization: `Bearer ${await getToken()}`,
    }),
    prepareSendMessagesRequest: ({ id, messages }) => ({
      api: `${serverUrl}/api/v1/tickets/${id}/messages`,
      body: { content: textOf(messages.at(-1)) },
    }),
    prepareReconnectToStreamRequest: ({ id }) => ({
      api: `${serverUrl}/api/v1/tickets/${id}/ai-response?live=true`,
    }),
  });
