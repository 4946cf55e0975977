/* SPDX-License-Identifier: Apache-2.0 */
/* redis_script.h: what a Redis server runs for store_redis.c: each script is one atomic step.
 *
 *   KEYS[1]  hash: digest -> "n" or "u" (used) and the expiry in ms; "epoch" -> the life that it belongs to
 *   KEYS[2]  sorted set of all digests by expiry        KEYS[3]  the same, of those that are not used
 *   ARGV[1]  now in ms    ARGV[2] digest    ARGV[3] expiry    ARGV[4] keep    ARGV[5] max    ARGV[6] how many to sweep
 *
 * The epoch is the server's run id, new with every start, and its replication id, new with every promotion. Both may bring back what
 * was there before: a snapshot, a log that lacks the last second, a replica that lags. What was taken in by another life is unknown.
 * Expiry by the server's own clock only tidies up. Instants are below 2^53, and pass through scripts as text. */
#ifndef ATLS_EDGE_SERVICE_REDIS_SCRIPT_H
#define ATLS_EDGE_SERVICE_REDIS_SCRIPT_H

#define ATLS_REDIS_PRELUDE                                                                                             \
    "if redis.replicate_commands then redis.replicate_commands() end\n" /* before Redis 7: writes after INFO */        \
    "local replication = redis.call('INFO', 'replication')\n"                                                          \
    "local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')\n"                                         \
    "local history = string.match(replication, 'master_replid:(%x+)')\n"                                               \
    "if not run or not history or not string.match(replication, 'role:master') then\n"                                 \
    "  return redis.error_reply('ERR no primary, or it does not say which one it is')\n"                               \
    "end\n"                                                                                                            \
    "local epoch = run .. history\n"

#define ATLS_REDIS_PING ATLS_REDIS_PRELUDE "return 1\n"

/* 1: it is in; 0: there is no room; 2: it was there already */
#define ATLS_REDIS_INSERT                                                                                              \
    ATLS_REDIS_PRELUDE                                                                                                 \
    "if redis.call('HGET', KEYS[1], 'epoch') ~= epoch then\n"                                                          \
    "  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])\n"                                                                 \
    "  redis.call('HSET', KEYS[1], 'epoch', epoch)\n"                                                                  \
    "end\n"                                                                                                            \
    "local function sweep(before)\n"                                                                                   \
    "  local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. before, 'LIMIT', 0, tonumber(ARGV[6]))\n"       \
    "  if #old > 0 then\n"                                                                                             \
    "    redis.call('HDEL', KEYS[1], unpack(old))\n"                                                                   \
    "    redis.call('ZREM', KEYS[2], unpack(old))\n"                                                                   \
    "    redis.call('ZREM', KEYS[3], unpack(old))\n"                                                                   \
    "  end\n"                                                                                                          \
    "end\n"                                                                                                            \
    "local max = tonumber(ARGV[5])\n"                                                                                  \
    "sweep(string.format('%.0f', tonumber(ARGV[1]) - tonumber(ARGV[4])))\n"                                            \
    "if redis.call('ZCARD', KEYS[2]) >= max then sweep(ARGV[1]) end\n"                                                 \
    "if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1 then return 2 end\n"                                              \
    "if redis.call('ZCARD', KEYS[2]) >= max then return 0 end\n"                                                       \
    "redis.call('HSET', KEYS[1], ARGV[2], 'n' .. ARGV[3])\n"                                                           \
    "redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])\n"                                                                  \
    "redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])\n"                                                                  \
    "local life = tonumber(ARGV[3]) - tonumber(ARGV[1]) + tonumber(ARGV[4]) + 60000\n"                                 \
    "for i = 1, 3 do\n"                                                                                                \
    "  if redis.call('PTTL', KEYS[i]) < life then redis.call('PEXPIRE', KEYS[i], string.format('%.0f', life)) end\n"   \
    "end\n"                                                                                                            \
    "return 1\n"

/* atls_consumed, as a number of this file's: 0 unknown, 1 fresh, 2 expired, 3 used */
#define ATLS_REDIS_CONSUME                                                                                             \
    ATLS_REDIS_PRELUDE                                                                                                 \
    "if redis.call('HGET', KEYS[1], 'epoch') ~= epoch then return 0 end\n"                                             \
    "local held = redis.call('HGET', KEYS[1], ARGV[2])\n"                                                              \
    "if not held then return 0 end\n"                                                                                  \
    "local state, expires = string.match(held, '^([nu])(%d+)$')\n"                                                     \
    "if state == 'u' then return 3 end\n"                                                                              \
    "if state ~= 'n' then return redis.error_reply('ERR an entry that is none') end\n"                                 \
    "if tonumber(ARGV[1]) > tonumber(expires) then return 2 end\n"                                                     \
    "redis.call('HSET', KEYS[1], ARGV[2], 'u' .. expires)\n"                                                           \
    "redis.call('ZREM', KEYS[3], ARGV[2])\n"                                                                           \
    "return 1\n"

/* outstanding, held */
#define ATLS_REDIS_COUNT                                                                                               \
    ATLS_REDIS_PRELUDE                                                                                                 \
    "if redis.call('HGET', KEYS[1], 'epoch') ~= epoch then return {0, 0} end\n"                                        \
    "return {redis.call('ZCOUNT', KEYS[3], ARGV[1], '+inf'), redis.call('ZCARD', KEYS[2])}\n"

#endif
