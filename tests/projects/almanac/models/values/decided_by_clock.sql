select {% if run_started_at.day % 2 %} 'odd' {% else %} 'even' {% endif %} as day
