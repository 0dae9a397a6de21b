-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    command_type,
    case reject_reason_code when 0 then 'NONE' when 101 then 'UNKNOWN_ACCOUNT' when 102 then 'ACCOUNT_RESTRICTED' when 103 then 'ACCOUNT_SUSPENDED' when 104 then 'ACCOUNT_CLOSED' when 201 then 'UNKNOWN_INSTRUMENT' when 202 then 'INSTRUMENT_HALTED' when 203 then 'INSTRUMENT_CLOSED' when 301 then 'UNKNOWN_CODE' when 302 then 'BAD_QUANTITY' when 303 then 'BAD_PRICE' when 304 then 'PRICE_OUTSIDE_COLLAR' when 305 then 'ORDER_TOO_LARGE' when 306 then 'NOTIONAL_TOO_LARGE' when 307 then 'DUPLICATE_ID' when 308 then 'RATE_EXCEEDED' when 401 then 'INSUFFICIENT_MARGIN' when 402 then 'INSUFFICIENT_CASH' when 403 then 'INSUFFICIENT_SECURITIES' when 404 then 'WOULD_INCREASE' when 501 then 'UNKNOWN_ORDER' when 502 then 'WOULD_TAKE' when 503 then 'CANNOT_FILL' when 504 then 'BOOK_FULL' when 505 then 'WRONG_SESSION' when 506 then 'BAD_TERMS' when 507 then 'BAD_LINK' when 508 then 'TRADING_STOPPED' when 509 then 'NOT_AMENDABLE' when 601 then 'CAPACITY_REACHED' when 602 then 'ALREADY_EXISTS' when 603 then 'UNKNOWN_REFERENCE' when 604 then 'BAD_AMOUNT' when 605 then 'WRONG_STATE' when 606 then 'SAME_PERSON' when 607 then 'MISMATCH' when 608 then 'NOT_CONFIGURED' when 609 then 'UNSENT_NOTICE' when 610 then 'BAD_DECLARATION' when 611 then 'OUT_OF_RANGE' when 612 then 'BELOW_REQUIREMENT' end as reject_reason
from {{ source('lake_market', 'command_refusals') }}
where sequence <= {{ watermark() }}
