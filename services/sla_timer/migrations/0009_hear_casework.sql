-- Policies may name three more happenings: somebody took the request on, a control point was done, documents came.
ALTER TABLE request_event
    DROP CONSTRAINT request_event_happening_check,
    ADD CONSTRAINT request_event_happening_check CHECK (happening IN ('submitted', 'stage_entered', 'stage_left',
        'responded', 'message_received', 'customer_informed', 'acknowledged', 'control_recorded', 'documents_received',
        'assigned', 'paused', 'resumed', 'signalled', 'changed', 'extended', 'closed', 'reopened', 'cancelled', 'merged',
        'policy_applied', 'mode_changed'));
