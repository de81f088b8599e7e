import type { ServiceDefinition } from '@grpc/grpc-js';
import { CarpoolError, messageOf } from '../../errors.js';

/**
 * Stands in for a message that is no protobuf of its type. The library would end the call with INTERNAL, seen by no
 * metric and no log, and never end a stream that has two of them.
 */
class Undecodable {
  constructor(readonly reason: string) {}
}

/** The same service, whose messages are decoded or replaced by a marker: `requireDecoded` tells them apart. */
export const decodingAll = (service: ServiceDefinition): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(service).map(([name, method]) => {
      const requestDeserialize = (bytes: Buffer): unknown => {
        try {
          const message: unknown = method.requestDeserialize(bytes);
          return message;
        } catch (error) {
          return new Undecodable(messageOf(error));
        }
      };
      return [name, { ...method, requestDeserialize }];
    }),
  );

/** @throws CarpoolError INVALID_REQUEST where the message could not be decoded */
export const requireDecoded = (message: unknown): void => {
  if (message instanceof Undecodable)
    throw new CarpoolError(
      'INVALID_REQUEST',
      `expected a protobuf message of the method's type, got bytes that are none (${message.reason})`,
    );
};
