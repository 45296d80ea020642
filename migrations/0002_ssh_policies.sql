CREATE TABLE `algorithm_policies` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`definition` text NOT NULL,
	`version` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `algorithm_policies_name_unique` ON `algorithm_policies` (`name`);--> statement-breakpoint
CREATE TABLE `host_key_receipts` (
	`server` text NOT NULL,
	`account` text NOT NULL,
	`fingerprint` text NOT NULL,
	`first_at` text NOT NULL,
	`last_at` text NOT NULL,
	PRIMARY KEY(`server`, `account`, `fingerprint`)
);
