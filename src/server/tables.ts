// The tables of `server/` (migration 0005), for Kysely.
import type { ColumnType, Generated } from 'kysely';

type Timestamp = ColumnType<Date, string | Date, string | Date>;
type NullableTimestamp = ColumnType<Date | null, string | Date | null, string | Date | null>;

export type ServerTables = {
  server_events: {
    id: string;
    /** A 64-bit number, which the driver hands over as text. */
    sequence: Generated<string>;
    name: string;
    body: ColumnType<Record<string, unknown>, string, string>;
    at: Timestamp;
    dispatched: Generated<boolean>;
  };
  server_webhooks: {
    id: string;
    name: string;
    url: string;
    events: string[];
    enabled: boolean;
    allow_private_addresses: boolean;
    secret: Buffer;
    created_by: string;
    created_at: Timestamp;
    updated_at: Timestamp;
  };
  server_webhook_deliveries: {
    id: string;
    sequence: Generated<string>;
    webhook: string;
    event_id: string;
    event_name: string;
    body: string;
    status: DeliveryStatus;
    attempts: Generated<number>;
    response_status: number | null;
    response_body: string | null;
    error: string | null;
    created_at: Timestamp;
    attempted_at: NullableTimestamp;
    delivered_at: NullableTimestamp;
  };
};

/** `retrying`: the last attempt failed and another will follow; `failed`: none will. */
export type DeliveryStatus = 'pending' | 'retrying' | 'delivered' | 'failed';
