select
    '{{ run_started_at.strftime("%Y-%m-%d %H:%M") }}' as began,
    '{{ (run_started_at - modules.datetime.timedelta(days=1)).date() }}' as day_before,
    '{{ run_started_at.astimezone(modules.pytz.timezone("Asia/Tokyo")).strftime("%d %H") }}' as there,
    '{{ modules.datetime.datetime.now().strftime("%Y-%m-%d") }}' as today,
    '{{ invocation_id }}' as invocation,
    '{{ target.name }} {{ target.schema }} {{ target.type }}' as target
