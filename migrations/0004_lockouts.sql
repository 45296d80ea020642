CREATE TABLE `lockouts` (
	`id` text PRIMARY KEY NOT NULL,
	`zone` text NOT NULL,
	`key` text NOT NULL,
	`counter` text NOT NULL,
	`account` text,
	`source` text,
	`node` text NOT NULL,
	`since` text NOT NULL,
	`until` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `lockouts_zone_key` ON `lockouts` (`zone`,`key`);--> statement-breakpoint
CREATE INDEX `lockouts_node` ON `lockouts` (`node`,`since`);--> statement-breakpoint
CREATE TABLE `second_factors` (
	`account` text PRIMARY KEY NOT NULL,
	`secret` text NOT NULL,
	`algorithm` text NOT NULL,
	`digits` integer NOT NULL,
	`period_seconds` integer NOT NULL,
	`created_at` text NOT NULL
);
--> statement-breakpoint
UPDATE `policy_documents` SET `body` = json_set(`body`, '$.secondFactorClasses', json('[]'), '$.lockout', json('{"accountSource":5,"source":30,"account":100,"windowSeconds":600,"blockSeconds":60,"longestBlockSeconds":3600,"failureDelayMs":500,"allow":[]}')) WHERE `name` = 'login-settings';
--> statement-breakpoint
UPDATE `zones` SET `overrides` = json_set(`overrides`, '$.loginSettings.secondFactorClasses', json('[]'), '$.loginSettings.lockout', json('{"accountSource":5,"source":30,"account":100,"windowSeconds":600,"blockSeconds":60,"longestBlockSeconds":3600,"failureDelayMs":500,"allow":[]}')) WHERE json_type(`overrides`, '$.loginSettings') = 'object';
