// Defines the shapes of the answers in which Kafka describes and lists groups.
import { fields, int16, int32, int64, int8, list, maybe, text, uuid } from './flexible-protocol.js';

const topicPartitions = fields({ topicId: uuid, topicName: text, partitions: list(int32) });
const assignment = fields({ topics: list(topicPartitions) });
const groupHead = {
  errorCode: int16,
  errorMessage: text,
  groupId: text,
  state: text,
  groupEpoch: int32,
  assignmentEpoch: int32,
};
export const consumerGroups = fields({
  throttleMs: int32,
  groups: list(
    fields({
      ...groupHead,
      assignor: text,
      members: list(
        fields({
          memberId: text,
          instanceId: text,
          rackId: text,
          memberEpoch: int32,
          clientId: text,
          clientHost: text,
          topics: list(text),
          regex: text,
          assignment,
          target: assignment,
        }),
      ),
      operations: int32,
    }),
  ),
});

const pair = fields({ key: text, value: text });
const topicInfo = fields({
  name: text,
  partitions: int32,
  replication: int16,
  configs: list(pair),
});
const taskOffset = fields({ subtopology: text, partition: int32, offset: int64 });
const tasks = list(fields({ subtopology: text, partitions: list(int32) }));
const taskAssignment = fields({ active: tasks, standby: tasks, warmUp: tasks });
const subtopology = fields({
  id: text,
  sources: list(text),
  repartitionSinks: list(text),
  changelogs: list(topicInfo),
  repartitionSources: list(topicInfo),
});
export const streamsGroups = fields({
  throttleMs: int32,
  groups: list(
    fields({
      ...groupHead,
      topology: maybe(fields({ epoch: int32, subtopologies: list(subtopology) })),
      members: list(
        fields({
          memberId: text,
          memberEpoch: int32,
          instanceId: text,
          rackId: text,
          clientId: text,
          clientHost: text,
          topologyEpoch: int32,
          processId: text,
          endpoint: maybe(fields({ host: text, port: int16 })),
          tags: list(pair),
          offsets: list(taskOffset),
          endOffsets: list(taskOffset),
          assignment: taskAssignment,
          target: taskAssignment,
          isClassic: int8,
        }),
      ),
      operations: int32,
    }),
  ),
});

export const listedGroups = fields({
  throttleMs: int32,
  errorCode: int16,
  groups: list(fields({ groupId: text, protocol: text, state: text, type: text })),
});
