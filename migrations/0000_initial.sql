CREATE TABLE `accounts` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`name_key` text NOT NULL,
	`zones` text NOT NULL,
	`groups` text NOT NULL,
	`home` text NOT NULL,
	`enabled` integer NOT NULL,
	`locked` integer NOT NULL,
	`password_hash` text,
	`permissions` text NOT NULL,
	`limits` text NOT NULL,
	`upload_mode` text NOT NULL,
	`contact` text,
	`version` integer NOT NULL,
	`created_at` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `accounts_name_key_unique` ON `accounts` (`name_key`);--> statement-breakpoint
CREATE TABLE `audit` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`at` text NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`target` text NOT NULL,
	`detail` text NOT NULL,
	`previous_hash` text NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `audit_head` (
	`id` integer PRIMARY KEY NOT NULL,
	`sequence` integer NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `blobs` (
	`zone` text NOT NULL,
	`digest` text NOT NULL,
	`section` text NOT NULL,
	`key_epoch` integer NOT NULL,
	`fingerprint` text,
	`bytes` blob NOT NULL,
	`created_at` text NOT NULL,
	PRIMARY KEY(`zone`, `digest`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `blobs_fingerprint` ON `blobs` (`zone`,`key_epoch`,`section`,`fingerprint`);--> statement-breakpoint
CREATE TABLE `certificates` (
	`id` text PRIMARY KEY NOT NULL,
	`alias` text NOT NULL,
	`kind` text NOT NULL,
	`form` text NOT NULL,
	`zones` text NOT NULL,
	`account` text,
	`match` text,
	`anchor` text,
	`chain` text NOT NULL,
	`subject` text NOT NULL,
	`issuer` text NOT NULL,
	`serial` text NOT NULL,
	`sans` text NOT NULL,
	`not_before` text NOT NULL,
	`not_after` text NOT NULL,
	`valid_until` text,
	`key` text NOT NULL,
	`spki_sha256` text NOT NULL,
	`sha256` text NOT NULL,
	`private_key` text,
	`comment` text,
	`revoked_at` text,
	`version` integer NOT NULL,
	`created_at` text NOT NULL,
	FOREIGN KEY (`account`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `certificates_kind_alias` ON `certificates` (`kind`,`alias`);--> statement-breakpoint
CREATE UNIQUE INDEX `certificates_kind_sha256_account` ON `certificates` (`kind`,`sha256`,`account`);--> statement-breakpoint
CREATE TABLE `content_keys` (
	`zone` text NOT NULL,
	`key_epoch` integer NOT NULL,
	`wrapped` text NOT NULL,
	`created_at` text NOT NULL,
	PRIMARY KEY(`zone`, `key_epoch`)
);
--> statement-breakpoint
CREATE TABLE `events` (
	`position` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`node` text NOT NULL,
	`zone` text NOT NULL,
	`event_id` text NOT NULL,
	`at` text NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `events_node_event` ON `events` (`node`,`event_id`);--> statement-breakpoint
CREATE TABLE `installation` (
	`id` integer PRIMARY KEY NOT NULL,
	`schema` integer NOT NULL,
	`change_sequence` integer NOT NULL,
	`created_at` text NOT NULL,
	`wrapping_issuer` text,
	`wrapping_issuer_key` text
);
--> statement-breakpoint
CREATE TABLE `join_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`zone` text NOT NULL,
	`node_name` text,
	`source_cidr` text,
	`secret` text NOT NULL,
	`expires_at` text NOT NULL,
	`spent_by` text,
	`node` text,
	`created_at` text NOT NULL,
	FOREIGN KEY (`zone`) REFERENCES `zones`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `node_envelopes` (
	`zone` text NOT NULL,
	`key_epoch` integer NOT NULL,
	`node` text NOT NULL,
	`fingerprint` text NOT NULL,
	`envelope` text NOT NULL,
	PRIMARY KEY(`zone`, `key_epoch`, `node`)
);
--> statement-breakpoint
CREATE TABLE `nodes` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`zone` text NOT NULL,
	`state` text NOT NULL,
	`signing_key` text NOT NULL,
	`sealing_key` text NOT NULL,
	`overrides` text NOT NULL,
	`last_seen_at` text,
	`applied_version` integer,
	`serving` text,
	`items` text NOT NULL,
	`status_sequence` integer NOT NULL,
	`event_sequence` integer NOT NULL,
	`version` integer NOT NULL,
	`created_at` text NOT NULL,
	FOREIGN KEY (`zone`) REFERENCES `zones`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `nodes_name_unique` ON `nodes` (`name`);--> statement-breakpoint
CREATE UNIQUE INDEX `nodes_signing_key_unique` ON `nodes` (`signing_key`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`zone` text PRIMARY KEY NOT NULL,
	`sequence` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `policy_documents` (
	`name` text PRIMARY KEY NOT NULL,
	`body` text NOT NULL,
	`version` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `publications` (
	`zone` text PRIMARY KEY NOT NULL,
	`trust_epoch` integer NOT NULL,
	`version` integer NOT NULL,
	`covered_sequence` integer NOT NULL,
	`key_epoch` integer NOT NULL,
	`timestamp` text NOT NULL,
	`issued_at` integer NOT NULL,
	`refusal` text
);
--> statement-breakpoint
CREATE TABLE `revocations` (
	`sha256` text PRIMARY KEY NOT NULL,
	`spki_sha256` text NOT NULL,
	`at` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `revocations_spki` ON `revocations` (`spki_sha256`);--> statement-breakpoint
CREATE TABLE `roots` (
	`version` integer PRIMARY KEY NOT NULL,
	`trust_epoch` integer NOT NULL,
	`envelope` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `servers` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`zone` text NOT NULL,
	`protocol` text NOT NULL,
	`definition` text NOT NULL,
	`version` integer NOT NULL,
	FOREIGN KEY (`zone`) REFERENCES `zones`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `servers_name_unique` ON `servers` (`name`);--> statement-breakpoint
CREATE TABLE `snapshots` (
	`zone` text NOT NULL,
	`trust_epoch` integer NOT NULL,
	`version` integer NOT NULL,
	`sequence` integer NOT NULL,
	`manifest` text NOT NULL,
	`digest` text NOT NULL,
	`created_at` text NOT NULL,
	PRIMARY KEY(`zone`, `trust_epoch`, `version`)
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`label` text NOT NULL,
	`hash` text NOT NULL,
	`scopes` text NOT NULL,
	`zones` text NOT NULL,
	`expires_at` text NOT NULL,
	`created_at` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_hash_unique` ON `tokens` (`hash`);--> statement-breakpoint
CREATE TABLE `zones` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`kind` text NOT NULL,
	`storage` text NOT NULL,
	`enrolment` text NOT NULL,
	`on_invalid_certificate` text NOT NULL,
	`overrides` text NOT NULL,
	`snapshot` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `zones_name_unique` ON `zones` (`name`);